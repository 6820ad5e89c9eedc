import { DomainError } from '../exceptions.ts';

/** Raised when the organization has no campaign of that id. */
export class CampaignNotFoundError extends DomainError {
  readonly code = 'campaign_not_found';

  constructor(campaignId: string) {
    super('The organization has no such campaign.', { details: { campaign_id: campaignId } });
  }
}

/** Raised when a job is submitted to a campaign that takes no more; nothing is written. */
export class CampaignArchivedError extends DomainError {
  readonly code = 'campaign_archived';

  constructor(campaignId: string) {
    super('The campaign is archived: it takes no new jobs.', { details: { campaign_id: campaignId } });
  }
}
