import { JobNotFoundError } from '../../domain/jobs/errors.ts';
import type { DockingJob } from '../../domain/jobs/docking-job.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';

/** @throws {JobNotFoundError} */
export const getJob = async ({ jobs }: ResultsRepositories, jobId: string): Promise<DockingJob> => {
  const job = await jobs.find(jobId);
  if (job === null) throw new JobNotFoundError(jobId);
  return job;
};

/** As `getJob`, and keeps other writers away from the job until the transaction ends. @throws {JobNotFoundError} */
export const lockJob = async ({ jobs }: ResultsRepositories, jobId: string): Promise<DockingJob> => {
  const job = await jobs.findForUpdate(jobId);
  if (job === null) throw new JobNotFoundError(jobId);
  return job;
};
