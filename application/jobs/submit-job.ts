import { IdempotencyKeyReusedError } from '../../domain/jobs/errors.ts';
import type { DockingJob, JobRequest } from '../../domain/jobs/docking-job.ts';
import type { Idempotency, NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import { DEFAULT_MAX_ATTEMPTS } from '../../domain/jobs/job-attempt.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import type { Ports } from '../ports/ports.ts';

export interface Submission extends JobRequest {
  /** Whether a completed job with the same inputs may answer for this one. */
  readonly useCache: boolean;
  readonly idempotencyKey: string | null;
  /** Null: as usual. */
  readonly maxAttempts: number | null;
  /** Of one attempt; null: as the organization's settings say. */
  readonly maxRuntimeSeconds: number | null;
}

/** `replayed`: this submission was seen before under its idempotency key, and made nothing. */
export interface Submitted {
  readonly job: DockingJob;
  readonly replayed: boolean;
}

/** Records a job, or completes it from the cache. @throws {IdempotencyKeyReusedError} when the key came before with another request */
export const submitJob =
  ({ canonicalJson, newJobId }: Pick<Ports, 'canonicalJson' | 'newJobId'>) =>
  async (database: ResultsDatabase, actor: Actor, submission: Submission): Promise<Submitted> => {
    const { useCache, idempotencyKey, maxAttempts, maxRuntimeSeconds, ...request } = submission;
    const { engine, pipelineVersion, inputs, params, priority } = request;
    const specification = canonicalJson.textOf({ engine, inputs, params, pipeline_version: pipelineVersion });
    const idempotency =
      idempotencyKey === null
        ? null
        : { key: idempotencyKey, requestHash: canonicalJson.hashOf(requestText(specification, submission)) };
    const job: NewDockingJob = {
      jobId: newJobId(),
      status: 'PENDING',
      inputSignature: canonicalJson.hashOf(specification),
      submittedBy: actor.principal.userId,
      cache: { hit: false, canonicalJobId: null, confidenceScore: null },
      label: null,
      campaignId: null,
      retryOf: null,
      maxAttempts: maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      maxRuntimeSeconds,
      idempotency,
      note: noteOf(actor, 'job.submitted', {
        engine,
        status: 'PENDING',
        pipeline_version: pipelineVersion,
        priority,
      }),
      ...request,
    };
    return recordJob(database, job, { useCache });
  };

/** Inserts a job, unless an earlier one has its idempotency key. @throws {IdempotencyKeyReusedError} */
export const recordJob = async (
  database: ResultsDatabase,
  job: NewDockingJob,
  { useCache }: { readonly useCache: boolean } = { useCache: false },
): Promise<Submitted> => {
  const { idempotency } = job;
  if (idempotency !== null) {
    const earlier = await findEarlier(database, idempotency);
    if (earlier !== null) return earlier;
  }
  const inserted = useCache ? await insertUsingCache(database, job) : await database.jobs.insert(job);
  if (inserted !== null) return { job: inserted, replayed: false };

  // A concurrent request inserted the same key between the look and the insert.
  const winner = idempotency === null ? null : await findEarlier(database, idempotency);
  if (winner === null) throw new Error('an insert was refused that no earlier job explains');
  return winner;
};

/**
 * The canonical text of the specification and of what else was asked for. What later releases added is named only where it is
 * given, so that a request keeps the hash that an earlier release has stored.
 */
const requestText = (
  specification: string,
  { priority, maxAttempts, maxRuntimeSeconds }: Submission,
): string => {
  const rest = {
    priority,
    ...(maxAttempts !== null && { max_attempts: maxAttempts }),
    ...(maxRuntimeSeconds !== null && { max_runtime_seconds: maxRuntimeSeconds }),
  };
  return `${specification.slice(0, -1)},${JSON.stringify(rest).slice(1)}`;
};

/** Null when the idempotency key is taken; then no use of the cache is counted either. */
const insertUsingCache = async (
  database: ResultsDatabase,
  job: NewDockingJob,
): Promise<DockingJob | null> => {
  try {
    return await database.transaction(async (repositories) => {
      const inserted = await insertFromCache(repositories, job);
      if (inserted === null) throw new KeyTaken();
      return inserted;
    });
  } catch (error) {
    if (error instanceof KeyTaken) return null;
    throw error;
  }
};

/** Rolls back the transaction that counted a use of the cache for a job that was not made. */
class KeyTaken extends Error {}

const insertFromCache = async (
  { jobs, inputSignatures }: ResultsRepositories,
  job: NewDockingJob,
): Promise<DockingJob | null> => {
  const entry = await inputSignatures.use(job.inputSignature);
  if (entry === null) return jobs.insert(job);
  const { canonicalJobId, confidenceScore } = entry;
  const details = { ...job.note.details, status: 'COMPLETED', canonical_job_id: canonicalJobId };
  const note = { ...job.note, details };
  const cache = { hit: true, canonicalJobId, confidenceScore };
  return jobs.insert({ ...job, status: 'COMPLETED', cache, note });
};

const findEarlier = async (
  { jobs }: ResultsRepositories,
  { key, requestHash }: Idempotency,
): Promise<Submitted | null> => {
  const earlier = await jobs.findByIdempotencyKey(key);
  if (earlier === null) return null;
  if (earlier.requestHash !== requestHash) throw new IdempotencyKeyReusedError();
  return { job: earlier.job, replayed: true };
};
