import type { JobFilter, JobKey } from '../../../domain/jobs/docking-job-repository.ts';
import type { PartRequest } from '../../../domain/page.ts';
import type { Columns } from '../columns.ts';
import { sizedList } from '../sized-list.ts';
import {
  JSON_COLUMNS,
  liveAttemptOf,
  SUMMARY_COLUMNS,
  type DockingJobRow,
  type JobSummaryRow,
} from './docking-job-columns.ts';

export const jobKeyOf = ({ createdAt, jobId }: JobKey): JobKey => ({ createdAt, jobId });

/** Filters by their columns, and the ranges of times by names of their own. Absent ones are left out. */
const conditionsOf = (filter: JobFilter): Readonly<Record<string, string>> => {
  const conditions = {
    status: filter.status,
    campaign_id: filter.campaignId,
    engine: filter.engine,
    label: filter.label,
    submitted_by: filter.submittedBy,
    error_code: filter.errorCode,
    created_after: filter.createdAfter?.toISOString(),
    created_before: filter.createdBefore?.toISOString(),
  };
  return Object.fromEntries(
    Object.entries(conditions).flatMap(([name, value]) =>
      value === null || value === undefined ? [] : [[name, value]],
    ),
  );
};

/** The filters of programs that ask again and again. Their statements are prepared. */
const isUsual = (conditions: Readonly<Record<string, string>>): boolean =>
  Object.keys(conditions).every((name) => name === 'status' || name === 'campaign_id');

/**
 * The jobs of a campaign lie together in time. The planner takes them for spread out, and would look for those of an old
 * one along all newer jobs: only the campaigns' index has their order in this form.
 */
const inCampaign = {
  created_at: { type: 'timestamptz', of: (value: string) => `(${value} at time zone 'UTC')` },
};

const listOf = <Row>(name: string, json: Columns<string>) => {
  const list = {
    table: 'docking_jobs',
    // Shown in the place of the id: the attempt.
    columns: { ...SUMMARY_COLUMNS, live: 'job_id' },
    shown: { live: liveAttemptOf('measured') },
    texts: ['error', 'label'],
    json,
    ranges: { created_after: ['created_at', '>'], created_before: ['created_at', '<'] },
    order: ['created_at', 'job_id'],
    direction: 'desc',
  } as const;
  const listOfKind = (indexed: typeof inCampaign | undefined) => ({
    usual: sizedList<Row>(name, { ...list, ...(indexed && { indexed }) }),
    any: sizedList<Row>(null, { ...list, ...(indexed && { indexed }) }),
  });
  const [ofCampaign, ofAll] = [listOfKind(inCampaign), listOfKind(undefined)];
  return (filter: JobFilter, { after, ...part }: PartRequest<JobKey>) => {
    const key = after === null ? null : [after.createdAt.toISOString(), after.jobId];
    const conditions = conditionsOf(filter);
    const { usual, any } = 'campaign_id' in conditions ? ofCampaign : ofAll;
    return (isUsual(conditions) ? usual : any)(conditions, { after: key, ...part });
  };
};

/** Newest first. */
export const listJobs = listOf<DockingJobRow>('docking_job_list', JSON_COLUMNS);
export const listJobSummaries = listOf<JobSummaryRow>('docking_job_list_summaries', {});
