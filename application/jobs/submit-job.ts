import { overDefaults } from '../../domain/campaigns/job-defaults.ts';
import { fileReferencesOf } from '../../domain/files/file-reference.ts';
import type { SubmissionWarning } from '../../domain/files/submission-warning.ts';
import { DEFAULT_PRIORITY, type DockingJob, type JobSpecification } from '../../domain/jobs/docking-job.ts';
import { IdempotencyKeyReusedError } from '../../domain/jobs/errors.ts';
import type { Idempotency, NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import { DEFAULT_MAX_ATTEMPTS } from '../../domain/jobs/job-attempt.ts';
import { noteOf, type Actor } from '../actor.ts';
import { openCampaign } from '../campaigns/open-campaign.ts';
import { pendingQuota, type PendingQuota } from '../limits/pending-quota.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import type { Ports } from '../ports/ports.ts';
import type { CanonicalJson } from '../ports/runtime/fingerprint.ts';
import { assertInputFiles, recordInputFiles } from './check-input-files.ts';
import { jobDetails } from './job-details.ts';
import { KeyTaken, unlessKeyTaken } from './unless-key-taken.ts';

export interface Submission extends JobSpecification {
  /** Null: the campaign's, or the usual one. */
  readonly priority: number | null;
  readonly label: string | null;
  readonly campaignId: string | null;
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
  /** They are not kept: a replay has none. */
  readonly warnings: readonly SubmissionWarning[];
}

type SubmitJobPorts = Pick<Ports, 'canonicalJson' | 'newJobId' | 'policies'>;

/**
 * Records a job, or completes it from the cache. The input signature is taken over the files' contents: their names are left
 * out. Decision 0046.
 *
 * @throws {IdempotencyKeyReusedError} when the key came before with another request
 * @throws {CampaignNotFoundError}
 * @throws {CampaignArchivedError}
 * @throws {ValidationError} when it refers to files that the organization does not have, or that the engine refuses
 * @throws {QuotaExceededError} when the organization has as many jobs waiting as it may
 */
export const submitJob =
  ({ canonicalJson, newJobId, policies }: SubmitJobPorts) =>
  async (database: ResultsDatabase, actor: Actor, submission: Submission): Promise<Submitted> => {
    const { useCache, idempotencyKey, campaignId, label, maxAttempts, maxRuntimeSeconds } = submission;
    const sent = specificationText(canonicalJson, submission);
    const idempotency =
      idempotencyKey === null
        ? null
        : { key: idempotencyKey, requestHash: requestHashOf(canonicalJson, submission, sent) };
    if (idempotency !== null) {
      // Before the campaign: what it says by now does not matter to a replay.
      const earlier = await findEarlier(database, idempotency);
      if (earlier !== null) return earlier;
    }
    const request = campaignId === null ? submission : await withCampaign(database, campaignId, submission);
    const { engine, pipelineVersion, inputs, params } = request;
    const { nameless } = fileReferencesOf(inputs);
    const isAsSent = campaignId === null && nameless === inputs;
    const decisive = isAsSent ? sent : specificationText(canonicalJson, { ...request, inputs: nameless });
    const priority = request.priority ?? DEFAULT_PRIORITY;
    const job: NewDockingJob = {
      jobId: newJobId(),
      status: 'PENDING',
      inputSignature: canonicalJson.hashOf(decisive),
      submittedBy: actor.principal.userId,
      cache: { hit: false, canonicalJobId: null, confidenceScore: null },
      label,
      campaignId,
      retryOf: null,
      maxAttempts: maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      maxRuntimeSeconds,
      idempotency,
      note: noteOf(actor, 'job.submitted', {
        ...jobDetails({ engine, campaignId }, 'PENDING'),
        pipeline_version: pipelineVersion,
        priority,
      }),
      engine,
      pipelineVersion,
      inputs,
      params,
      priority,
    };
    return insertOnce(database, job, { useCache, quota: pendingQuota(policies, actor) });
  };

interface InsertOptions {
  readonly useCache: boolean;
  readonly quota: PendingQuota;
}

/**
 * Inserts a job whose idempotency key was not there a moment ago, with what it refers to.
 *
 * @throws {IdempotencyKeyReusedError} when it is by now, with another request
 * @throws {ValidationError} as `submitJob` does
 * @throws {QuotaExceededError}
 */
const insertOnce = async (
  database: ResultsDatabase,
  job: NewDockingJob,
  { useCache, quota }: InsertOptions,
): Promise<Submitted> => {
  const inserted =
    useCache || quota.isSet || fileReferencesOf(job.inputs).references.length > 0
      ? await insertTogether(database, job, { useCache, quota })
      : await insertAlone(database, job, quota);
  if (inserted !== null) return { ...inserted, replayed: false };

  // A concurrent request inserted the same key between the look and the insert.
  const winner = job.idempotency === null ? null : await findEarlier(database, job.idempotency);
  if (winner === null) throw new Error('an insert was refused that no earlier job explains');
  return winner;
};

/**
 * Inserts a job, unless an earlier one has its idempotency key.
 *
 * @throws {IdempotencyKeyReusedError}
 * @throws {CampaignArchivedError}
 * @throws {QuotaExceededError}
 */
export const recordJob = async (
  database: ResultsDatabase,
  job: NewDockingJob,
  quota: PendingQuota,
): Promise<Submitted> => {
  const earlier = job.idempotency === null ? null : await findEarlier(database, job.idempotency);
  if (earlier !== null) return earlier;
  if (job.campaignId !== null) await openCampaign(database, job.campaignId);
  return insertOnce(database, job, { useCache: false, quota });
};

const withCampaign = async (
  database: ResultsDatabase,
  campaignId: string,
  submission: Submission,
): Promise<Submission> => {
  const { engine: _engine, ...merged } = overDefaults(await openCampaign(database, campaignId), submission);
  return { ...submission, ...merged };
};

const specificationText = (
  canonicalJson: CanonicalJson,
  { engine, inputs, params, pipelineVersion }: JobSpecification,
): string => canonicalJson.textOf({ engine, inputs, params, pipeline_version: pipelineVersion });

/**
 * Of what was sent, whatever its campaign says by now. What later releases added is named only where it is given, so that a
 * request keeps the hash that an earlier release has stored.
 */
const requestHashOf = (
  canonicalJson: CanonicalJson,
  { priority, maxAttempts, maxRuntimeSeconds, label, campaignId }: Submission,
  specification: string,
): string => {
  const rest = {
    priority: priority ?? (campaignId === null ? DEFAULT_PRIORITY : null),
    ...(maxAttempts !== null && { max_attempts: maxAttempts }),
    ...(maxRuntimeSeconds !== null && { max_runtime_seconds: maxRuntimeSeconds }),
    ...(label !== null && { label }),
    ...(campaignId !== null && { campaign_id: campaignId }),
  };
  return canonicalJson.hashOf(`${specification.slice(0, -1)},${JSON.stringify(rest).slice(1)}`);
};

const insertPending = async (
  { jobs }: ResultsRepositories,
  job: NewDockingJob,
  quota: PendingQuota,
): Promise<DockingJob | null> => {
  await quota.admit(jobs, 1);
  return jobs.insert(job);
};

type Inserted = Omit<Submitted, 'replayed'>;

const insertAlone = async (
  repositories: ResultsRepositories,
  job: NewDockingJob,
  quota: PendingQuota,
): Promise<Inserted | null> => {
  const inserted = await insertPending(repositories, job, quota);
  return inserted === null ? null : { job: inserted, warnings: [] };
};

/** Null when the idempotency key is taken; then no use of the cache is counted either. */
const insertTogether = (
  database: ResultsDatabase,
  job: NewDockingJob,
  { useCache, quota }: InsertOptions,
): Promise<Inserted | null> =>
  unlessKeyTaken(database, async (repositories) => {
    const warnings = await assertInputFiles(repositories, job);
    const inserted = useCache
      ? await insertFromCache(repositories, job, quota)
      : await insertPending(repositories, job, quota);
    if (inserted === null) throw new KeyTaken();
    const { references } = fileReferencesOf(job.inputs);
    await recordInputFiles(repositories, [{ jobId: inserted.jobId, references }]);
    return { job: inserted, warnings };
  });

const insertFromCache = async (
  repositories: ResultsRepositories,
  job: NewDockingJob,
  quota: PendingQuota,
): Promise<DockingJob | null> => {
  const { jobs, inputSignatures, scores } = repositories;
  const entry = await inputSignatures.use(job.inputSignature);
  if (entry === null) return insertPending(repositories, job, quota);
  const { canonicalJobId, confidenceScore } = entry;
  const details = { ...job.note.details, status: 'COMPLETED', canonical_job_id: canonicalJobId };
  const cache = { hit: true, canonicalJobId, confidenceScore };
  const note = { ...job.note, details };
  const inserted = await jobs.insert({ ...job, status: 'COMPLETED', cache, note });
  if (inserted !== null) await scores.copy([inserted.jobId]);
  return inserted;
};

const findEarlier = async (
  { jobs }: ResultsRepositories,
  { key, requestHash }: Idempotency,
): Promise<Submitted | null> => {
  const earlier = await jobs.findByIdempotencyKey(key);
  if (earlier === null) return null;
  if (earlier.requestHash !== requestHash) throw new IdempotencyKeyReusedError();
  return { job: earlier.job, replayed: true, warnings: [] };
};
