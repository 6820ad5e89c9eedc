import type { WriteNote } from '../../domain/audit/audit-log.ts';
import { isFinished, type DockingJob, type LockedJob } from '../../domain/jobs/docking-job.ts';
import { JobStateConflictError, LeaseLostError } from '../../domain/jobs/errors.ts';
import { backoffSeconds, type AttemptError, type AttemptUsage } from '../../domain/jobs/job-attempt.ts';
import type { Settlement } from '../../domain/jobs/job-attempt-repository.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import { writeArtifact, type ArtifactRequest } from './add-artifact.ts';
import { getJob } from './get-job.ts';
import { jobDetails } from './job-details.ts';
import { lockAttempt } from './lock-for-writer.ts';
import { writeTaskResult, type TaskResultRequest } from './put-task-result.ts';

export interface Completion {
  readonly jobId: string;
  readonly leaseId: string;
  /** Null: it succeeded. */
  readonly error: AttemptError | null;
  readonly taskResults: readonly TaskResultRequest[];
  readonly artifacts: readonly ArtifactRequest[];
  readonly usage: AttemptUsage | null;
  readonly logTail: string | null;
}

/**
 * Ends an attempt with all that it made, whole or not at all. A job whose failure need not happen again waits for another
 * attempt while it has one. Sent again under the same lease it changes nothing and answers with the job. Decision 0045.
 *
 * @throws {JobNotFoundError}
 * @throws {LeaseLostError} when another claim has found the job, or its worker gave it back
 * @throws {JobStateConflictError} when the job was canceled
 * @throws {ArtifactAlreadyExistsError} when the job has another artifact of a name
 * @throws {ValidationError} when an artifact names a file that the organization does not have
 */
export const completeJob = (
  database: ResultsDatabase,
  actor: Actor,
  completion: Completion,
): Promise<DockingJob> =>
  database.transaction(async (repositories) => {
    const { jobId, leaseId } = completion;
    const { job, outcome } = await lockAttempt(repositories, jobId, leaseId);
    if (outcome === 'COMPLETED' || outcome === 'FAILED') return getJob(repositories, jobId);
    if (outcome === 'CANCELED' || (outcome === null && isFinished(job.status)))
      throw new JobStateConflictError(job.status, 'be completed');
    if (outcome !== null) throw new LeaseLostError();
    const { attempts, inputSignatures } = repositories;
    const settlement = settlementOf(job, completion);
    if (settlement.status !== 'PENDING') await writeOutputs(repositories, actor, completion);
    const { action, details } = entryOf(job, settlement);
    const settled = await attempts.settle(settlement, noteOf(actor, action, details));
    if (settled.status === 'COMPLETED') await inputSignatures.canonize(settled);
    return settled;
  });

const settlementOf = (job: LockedJob, { error, usage, logTail }: Completion): Settlement => {
  const { jobId, attempt, maxAttempts } = job;
  const isTriedAgain = error?.retryable === true && attempt < maxAttempts;
  const outcome = error === null ? 'COMPLETED' : 'FAILED';
  return {
    jobId,
    status: isTriedAgain ? 'PENDING' : outcome,
    error: isTriedAgain ? null : (error?.message ?? null),
    errorCode: isTriedAgain ? null : (error?.code ?? null),
    attempt,
    delaySeconds: isTriedAgain ? backoffSeconds(attempt) : 0,
    end: { outcome, error, usage, logTail, releaseReason: null },
    dropsOutput: isTriedAgain,
  };
};

const writeOutputs = async (
  repositories: ResultsRepositories,
  actor: Actor,
  { jobId, leaseId, taskResults, artifacts }: Completion,
): Promise<void> => {
  for (const result of taskResults) await writeTaskResult(repositories, actor, { ...result, jobId, leaseId });
  for (const [index, artifact] of artifacts.entries())
    await writeArtifact(repositories, actor, { ...artifact, jobId, leaseId }, `artifacts.${index}.file`);
};

/** The action and the details of its audit entry. */
const entryOf = (
  job: LockedJob,
  { status, attempt, end }: Settlement,
): Pick<WriteNote, 'action' | 'details'> => {
  const details = { ...jobDetails(job, status), attempt };
  if (end.error === null) return { action: 'job.completed', details };
  const failure = { ...details, error_code: end.error.code };
  return status === 'PENDING'
    ? { action: 'job.released', details: { ...failure, reason: 'failed' } }
    : { action: 'job.failed', details: failure };
};
