import type { Campaign, NewCampaign } from '../../domain/campaigns/campaign.ts';
import { fileReferencesOf } from '../../domain/files/file-reference.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Makes a campaign, whose defaults its jobs have where they say nothing themselves. Files that it names may come later; those
 * that are there are not collected from here on.
 */
export const createCampaign =
  ({ newJobId }: Pick<Ports, 'newJobId'>) =>
  (
    database: ResultsDatabase,
    actor: Actor,
    campaign: Omit<NewCampaign, 'campaignId' | 'createdBy' | 'note'>,
  ): Promise<Campaign> => {
    const { name, engine } = campaign;
    const made: NewCampaign = {
      campaignId: newJobId(),
      createdBy: actor.principal.userId,
      note: noteOf(actor, 'campaign.created', { name, engine }),
      ...campaign,
    };
    const { references } = fileReferencesOf(campaign.inputs);
    if (references.length === 0) return database.campaigns.insert(made);
    return database.transaction(async ({ files, campaigns }) => {
      await files.hold(references.map(({ sha256 }) => sha256));
      return campaigns.insert(made);
    });
  };
