import type { JobStatus, LockedJob } from '../../domain/jobs/docking-job.ts';

/** What every audit entry about a job tells of it. */
export const jobDetails = (
  { engine, campaignId }: Pick<LockedJob, 'engine' | 'campaignId'>,
  status: JobStatus,
): Readonly<Record<string, unknown>> => ({
  engine,
  status,
  ...(campaignId !== null && { campaign_id: campaignId }),
});
