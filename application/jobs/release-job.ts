import { isFinished, type LockedJob } from '../../domain/jobs/docking-job.ts';
import { JobStateConflictError, LeaseLostError } from '../../domain/jobs/errors.ts';
import {
  CANNOT_RUN_DELAY_SECONDS,
  MAX_CANNOT_RUN,
  NO_CAPABLE_WORKER,
  type ReleaseReason,
} from '../../domain/jobs/job-attempt.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import { jobDetails } from './job-details.ts';
import { lockAttempt } from './lock-for-writer.ts';

export interface Release {
  readonly jobId: string;
  readonly leaseId: string;
  readonly reason: ReleaseReason;
  /** How long no claim takes the job; null: as usual for the reason. */
  readonly delaySeconds: number | null;
}

/**
 * Gives a job back unfinished: it waits again, and the attempt does not count. A job that too many workers could not run
 * fails. Sent again under the same lease it changes nothing. Decision 0045.
 *
 * @throws {JobNotFoundError}
 * @throws {LeaseLostError} when another claim has found the job
 * @throws {JobStateConflictError} when the job is finished
 */
export const releaseJob = (database: ResultsDatabase, actor: Actor, release: Release): Promise<void> =>
  database.transaction(async (repositories) => {
    const { job, outcome } = await lockAttempt(repositories, release.jobId, release.leaseId);
    if (outcome === 'RELEASED') return;
    if (outcome !== 'LOST' && isFinished(job.status))
      throw new JobStateConflictError(job.status, 'be given back');
    if (outcome !== null) throw new LeaseLostError();
    await giveBack(repositories, actor, job, release);
  });

const giveBack = async (
  { attempts }: ResultsRepositories,
  actor: Actor,
  job: LockedJob,
  { reason, delaySeconds }: Release,
): Promise<void> => {
  const { jobId } = job;
  const attempt = job.attempt - 1;
  const fails = reason === 'cannot_run' && (await attempts.countCannotRun(jobId)) + 1 >= MAX_CANNOT_RUN;
  const status = fails ? 'FAILED' : 'PENDING';
  const usualDelay = reason === 'cannot_run' ? CANNOT_RUN_DELAY_SECONDS : 0;
  const details = { ...jobDetails(job, status), attempt };
  const note = fails
    ? noteOf(actor, 'job.failed', { ...details, error_code: NO_CAPABLE_WORKER.code })
    : noteOf(actor, 'job.released', { ...details, reason });
  await attempts.settle([
    {
      jobId,
      status,
      error: fails ? NO_CAPABLE_WORKER.message : null,
      errorCode: fails ? NO_CAPABLE_WORKER.code : null,
      attempt,
      delaySeconds: delaySeconds ?? usualDelay,
      end: { outcome: 'RELEASED', error: null, usage: null, logTail: null, releaseReason: reason },
      dropsOutput: true,
      note,
    },
  ]);
};
