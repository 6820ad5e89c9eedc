import type { Campaign, NewCampaign } from '../../domain/campaigns/campaign.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';
import type { Ports } from '../ports/ports.ts';

/** Makes a campaign, whose defaults its jobs have where they say nothing themselves. */
export const createCampaign =
  ({ newJobId }: Pick<Ports, 'newJobId'>) =>
  (
    { campaigns }: ResultsDatabase,
    actor: Actor,
    campaign: Omit<NewCampaign, 'campaignId' | 'createdBy' | 'note'>,
  ): Promise<Campaign> => {
    const { name, engine } = campaign;
    return campaigns.insert({
      campaignId: newJobId(),
      createdBy: actor.principal.userId,
      note: noteOf(actor, 'campaign.created', { name, engine }),
      ...campaign,
    });
  };
