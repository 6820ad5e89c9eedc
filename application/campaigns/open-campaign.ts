import { CampaignArchivedError, CampaignNotFoundError } from '../../domain/campaigns/errors.ts';
import type { JobDefaults } from '../../domain/campaigns/job-defaults.ts';
import { readObject } from '../../domain/jobs/docking-job.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';

/**
 * What a campaign says about the jobs that are submitted to it. A campaign that is archived at the same moment may still
 * get them.
 *
 * @throws {CampaignNotFoundError}
 * @throws {CampaignArchivedError}
 */
export const openCampaign = async (
  { campaigns }: ResultsRepositories,
  campaignId: string,
): Promise<JobDefaults> => {
  const campaign = await campaigns.find(campaignId);
  if (campaign === null) throw new CampaignNotFoundError(campaignId);
  if (campaign.archivedAt !== null) throw new CampaignArchivedError(campaignId);
  const { engine, inputs, params, priority } = campaign;
  return { engine, inputs: readObject(inputs), params: readObject(params), priority };
};
