import type { WriteNote } from '../audit/audit-log.ts';
import type { JsonText } from '../json-text.ts';
import type { JsonObject, JobStatus } from '../jobs/docking-job.ts';
import type { PagePart, PartRequest } from '../page.ts';

/** Jobs that belong together: as a rule, many ligands against one receptor. */
export interface Campaign {
  readonly campaignId: string;
  readonly name: string;
  readonly description: string | null;
  /** What its jobs have where they say nothing themselves; `inputs` and `params` are `{}` for nothing. */
  readonly engine: string | null;
  readonly inputs: JsonText;
  readonly params: JsonText;
  readonly priority: number | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Since when it takes no new jobs; null: it takes them. */
  readonly archivedAt: Date | null;
}

export type NewCampaign = Omit<Campaign, 'inputs' | 'params' | 'createdAt' | 'updatedAt' | 'archivedAt'> & {
  readonly inputs: JsonObject;
  readonly params: JsonObject;
  readonly note: WriteNote;
};

/** What is left out stays. */
export interface CampaignChange {
  readonly name?: string | undefined;
  readonly archived?: boolean | undefined;
}

export interface CampaignCounts {
  readonly byStatus: Readonly<Record<JobStatus, number>>;
  /** Completed jobs whose scores are doubted. */
  readonly suspect: number;
}

/** Position in the list of campaigns: newest first, ties broken by id. */
export interface CampaignKey {
  readonly createdAt: Date;
  readonly campaignId: string;
}

/** Campaigns in one organization's results database. */
export interface CampaignRepository {
  insert(campaign: NewCampaign): Promise<Campaign>;
  find(campaignId: string): Promise<Campaign | null>;
  /** Counts the campaign's jobs, from an index alone. */
  count(campaignId: string): Promise<CampaignCounts>;
  list(
    filter: { readonly archived: boolean | null },
    part: PartRequest<CampaignKey>,
  ): Promise<PagePart<Campaign, CampaignKey>>;
  /** Null, and nothing is written, when there is none of that id. */
  change(campaignId: string, change: CampaignChange, note: WriteNote): Promise<Campaign | null>;
}
