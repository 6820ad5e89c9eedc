import { JobNotFoundError } from '../../domain/jobs/errors.ts';
import { outputJobId, type DockingJob, type LockedJob } from '../../domain/jobs/docking-job.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';

/** @throws {JobNotFoundError} */
export const getJob = async ({ jobs }: ResultsRepositories, jobId: string): Promise<DockingJob> => {
  const job = await jobs.find(jobId);
  if (job === null) throw new JobNotFoundError(jobId);
  return job;
};

/** The job whose task results and artifacts answer for this one. @throws {JobNotFoundError} */
export const getOutputJobId = async ({ jobs }: ResultsRepositories, jobId: string): Promise<string> => {
  const job = await jobs.findSummary(jobId);
  if (job === null) throw new JobNotFoundError(jobId);
  return outputJobId(job);
};

/** Keeps other writers away from the job until the transaction ends. @throws {JobNotFoundError} */
export const lockJob = async ({ jobs }: ResultsRepositories, jobId: string): Promise<LockedJob> => {
  const job = await jobs.findForUpdate(jobId);
  if (job === null) throw new JobNotFoundError(jobId);
  return job;
};
