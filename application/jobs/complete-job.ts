import type { WriteNote } from '../../domain/audit/audit-log.ts';
import type { DomainError } from '../../domain/exceptions.ts';
import {
  isFinished,
  type DockingJob,
  type JobStatus,
  type LockedJob,
} from '../../domain/jobs/docking-job.ts';
import { JobNotFoundError, JobStateConflictError, LeaseLostError } from '../../domain/jobs/errors.ts';
import { backoffSeconds, type AttemptError, type AttemptUsage } from '../../domain/jobs/job-attempt.ts';
import type { LeaseKey, LockedAttempt, Settlement } from '../../domain/jobs/job-attempt-repository.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import { writeArtifacts, type ArtifactRequest } from './add-artifact.ts';
import { getJob } from './get-job.ts';
import { jobDetails } from './job-details.ts';
import { newTaskResult, type TaskResultRequest } from './put-task-result.ts';

export interface Completion extends LeaseKey {
  /** Null: it succeeded. */
  readonly error: AttemptError | null;
  readonly taskResults: readonly TaskResultRequest[];
  readonly artifacts: readonly ArtifactRequest[];
  readonly usage: AttemptUsage | null;
  readonly logTail: string | null;
}

/** What became of one completion among several: the status of its job, or why it changed nothing. */
export type Completed = { readonly status: JobStatus } | { readonly refusal: DomainError };

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
    for (const completed of await completeAll(repositories, actor, [{ completion, path: '' }]))
      if ('refusal' in completed) throw completed.refusal;
    return getJob(repositories, completion.jobId);
  });

/**
 * As `completeJob`, for several jobs at once, each named once. Leases that are lost and jobs that are canceled or not there are
 * no failure of the others.
 *
 * @returns in the order of `completions`
 * @throws {ArtifactAlreadyExistsError} {ValidationError} as `completeJob`; then nothing is written of any of them
 */
export const completeJobs = (
  database: ResultsDatabase,
  actor: Actor,
  completions: readonly Completion[],
): Promise<readonly Completed[]> =>
  database.transaction((repositories) =>
    completeAll(
      repositories,
      actor,
      completions.map((completion, index) => ({ completion, path: `items.${index}.` })),
    ),
  );

/** @property path what the paths of its fields begin with */
interface Placed {
  readonly completion: Completion;
  readonly path: string;
}

const completeAll = async (
  repositories: ResultsRepositories,
  actor: Actor,
  placed: readonly Placed[],
): Promise<readonly Completed[]> => {
  const { attempts, inputSignatures } = repositories;
  const locked = await attempts.lock(placed.map(({ completion }) => completion));
  const settlements: Settlement[] = [];
  const completed: Completed[] = [];
  const canonical: LockedJob[] = [];
  const writing: Placed[] = [];
  for (const [index, item] of placed.entries()) {
    const { completion } = item;
    const found = locked[index] ?? null;
    if (found === null || found.outcome !== null || isFinished(found.job.status)) {
      completed.push(await answerOf(repositories, completion, found));
      continue;
    }
    const { job } = found;
    const settlement = settlementOf(actor, job, completion);
    const { status } = settlement;
    if (status !== 'PENDING') writing.push(item);
    if (status === 'COMPLETED') canonical.push(job);
    settlements.push(settlement);
    completed.push({ status });
  }
  await writeOutputs(repositories, actor, writing);
  if (settlements.length > 0) await attempts.settle(settlements);
  if (canonical.length > 0) await inputSignatures.canonize(canonical);
  return completed;
};

/** Of a completion that changes nothing. @param found null: the job has no such lease */
const answerOf = async (
  { jobs }: ResultsRepositories,
  { jobId }: LeaseKey,
  found: LockedAttempt | null,
): Promise<Completed> => {
  if (found === null) {
    const isThere = (await jobs.findSummary(jobId)) !== null;
    return { refusal: isThere ? new LeaseLostError() : new JobNotFoundError(jobId) };
  }
  const { job, outcome } = found;
  if (outcome === 'COMPLETED' || outcome === 'FAILED') return { status: job.status };
  if (outcome === 'CANCELED' || outcome === null)
    return { refusal: new JobStateConflictError(job.status, 'be completed') };
  return { refusal: new LeaseLostError() };
};

const settlementOf = (actor: Actor, job: LockedJob, { error, usage, logTail }: Completion): Settlement => {
  const { jobId, attempt, maxAttempts } = job;
  const isTriedAgain = error?.retryable === true && attempt < maxAttempts;
  const outcome = error === null ? 'COMPLETED' : 'FAILED';
  const status = isTriedAgain ? 'PENDING' : outcome;
  return {
    jobId,
    status,
    error: isTriedAgain ? null : (error?.message ?? null),
    errorCode: isTriedAgain ? null : (error?.code ?? null),
    attempt,
    delaySeconds: isTriedAgain ? backoffSeconds(attempt) : 0,
    end: { outcome, error, usage, logTail, releaseReason: null },
    dropsOutput: isTriedAgain,
    note: entryOf(actor, job, status, { error, coreSeconds: usage?.cpuSeconds ?? usage?.wallSeconds }),
  };
};

/** All outputs of all completions, with as many statements as those of one. */
const writeOutputs = async (
  repositories: ResultsRepositories,
  actor: Actor,
  placed: readonly Placed[],
): Promise<void> => {
  const results = placed.flatMap(({ completion: { jobId, leaseId, taskResults } }) =>
    taskResults.map((result) => newTaskResult(actor, { ...result, jobId, leaseId })),
  );
  if (results.length > 0) await repositories.taskResults.putAll(results);
  const artifacts = placed.flatMap(({ completion: { jobId, leaseId, artifacts: sent }, path }) =>
    sent.map((artifact, index) => ({
      artifact: { ...artifact, jobId, leaseId },
      path: `${path}artifacts.${index}.file`,
    })),
  );
  await writeArtifacts(repositories, actor, artifacts);
};

const entryOf = (
  actor: Actor,
  job: LockedJob,
  status: JobStatus,
  { error, coreSeconds }: { readonly error: AttemptError | null; readonly coreSeconds: number | undefined },
): WriteNote => {
  const details = {
    ...jobDetails(job, status),
    attempt: job.attempt,
    // The trail carries it to where usage is counted.
    ...(coreSeconds !== undefined && { core_seconds: coreSeconds }),
  };
  if (error === null) return noteOf(actor, 'job.completed', details);
  const failure = { ...details, error_code: error.code };
  return status === 'PENDING'
    ? noteOf(actor, 'job.released', { ...failure, reason: 'failed' })
    : noteOf(actor, 'job.failed', failure);
};
