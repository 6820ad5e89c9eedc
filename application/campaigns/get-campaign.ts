import type { Campaign, CampaignCounts } from '../../domain/campaigns/campaign.ts';
import { CampaignNotFoundError } from '../../domain/campaigns/errors.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';

/** @throws {CampaignNotFoundError} */
export const getCampaign = async (
  { campaigns }: ResultsRepositories,
  campaignId: string,
): Promise<Campaign> => {
  const campaign = await campaigns.find(campaignId);
  if (campaign === null) throw new CampaignNotFoundError(campaignId);
  return campaign;
};

/** A campaign, and how its jobs stand. @throws {CampaignNotFoundError} */
export const getCampaignStatus = async (
  repositories: ResultsRepositories,
  campaignId: string,
): Promise<Campaign & CampaignCounts> => {
  const campaign = await getCampaign(repositories, campaignId);
  return { ...campaign, ...(await repositories.campaigns.count(campaignId)) };
};
