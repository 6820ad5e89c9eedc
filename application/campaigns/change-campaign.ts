import type { Campaign, CampaignChange } from '../../domain/campaigns/campaign.ts';
import { CampaignNotFoundError } from '../../domain/campaigns/errors.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';

/** Renames a campaign, archives it, or takes it back. @throws {CampaignNotFoundError} */
export const changeCampaign = async (
  { campaigns }: ResultsDatabase,
  actor: Actor,
  campaignId: string,
  change: CampaignChange,
): Promise<Campaign> => {
  const changed = await campaigns.change(
    campaignId,
    change,
    noteOf(actor, 'campaign.changed', { ...change }),
  );
  if (changed === null) throw new CampaignNotFoundError(campaignId);
  return changed;
};
