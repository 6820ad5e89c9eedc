import { isFinished, type LockedJob } from '../../domain/jobs/docking-job.ts';
import { LeaseLostError, LeaseRequiredError } from '../../domain/jobs/errors.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';
import { getJob, lockJob } from './get-job.ts';

/** Whether a worker holds a locked job by a lease. Jobs that were moved by their status alone never ask the database. */
export const isHeld = async (
  { attempts }: Pick<ResultsRepositories, 'attempts'>,
  { jobId, status, attempt }: Pick<LockedJob, 'jobId' | 'status' | 'attempt'>,
): Promise<boolean> => status === 'RUNNING' && attempt > 0 && (await attempts.hasLive(jobId));

/**
 * Locks a job and one attempt of it, which has an outcome when it is over.
 *
 * @throws {JobNotFoundError}
 * @throws {LeaseLostError} when the lease is none of the job's
 */
export const lockAttempt = async (repositories: ResultsRepositories, jobId: string, leaseId: string) => {
  const [locked] = await repositories.attempts.lock([{ jobId, leaseId }]);
  if (locked) return locked;
  await getJob(repositories, jobId);
  throw new LeaseLostError();
};

/**
 * Locks a job for whoever writes what it made. A lease that lapsed is good until another claim finds the job, and a write
 * under it extends it. The caller refuses a job that is finished. Decision 0045.
 *
 * @param leaseId null: the writer names none
 * @throws {JobNotFoundError}
 * @throws {LeaseRequiredError} when the job is held and the writer names no lease
 * @throws {LeaseLostError} when the lease does not hold the job, and the job goes on without it
 */
export const lockForWriter = async (
  repositories: ResultsRepositories,
  jobId: string,
  leaseId: string | null,
): Promise<LockedJob> => {
  if (leaseId === null) {
    const job = await lockJob(repositories, jobId);
    if (await isHeld(repositories, job)) throw new LeaseRequiredError();
    return job;
  }
  const { job, outcome } = await lockAttempt(repositories, jobId, leaseId);
  if (outcome === 'LOST' || outcome === 'RELEASED') throw new LeaseLostError();
  if (outcome !== null && !isFinished(job.status)) throw new LeaseLostError();
  if (outcome === null) await repositories.attempts.extend(leaseId);
  return job;
};
