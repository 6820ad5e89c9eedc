import { overDefaults } from '../../domain/campaigns/job-defaults.ts';
import { DEFAULT_PRIORITY, type DockingJob, type JobSpecification } from '../../domain/jobs/docking-job.ts';
import { IdempotencyKeyReusedError } from '../../domain/jobs/errors.ts';
import type { Idempotency, NewDockingJob } from '../../domain/jobs/docking-job-repository.ts';
import { noteOf, type Actor } from '../actor.ts';
import { openCampaign } from '../campaigns/open-campaign.ts';
import { pendingQuota, type PendingQuota } from '../limits/pending-quota.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import type { Ports } from '../ports/ports.ts';
import type { CanonicalJson } from '../ports/runtime/fingerprint.ts';

export interface Submission extends JobSpecification {
  /** Null: the campaign's, or the usual one. */
  readonly priority: number | null;
  readonly label: string | null;
  readonly campaignId: string | null;
  /** Whether a completed job with the same inputs may answer for this one. */
  readonly useCache: boolean;
  readonly idempotencyKey: string | null;
}

/** `replayed`: this submission was seen before under its idempotency key, and made nothing. */
export interface Submitted {
  readonly job: DockingJob;
  readonly replayed: boolean;
}

type SubmitJobPorts = Pick<Ports, 'canonicalJson' | 'newJobId' | 'policies'>;

/**
 * Records a job, or completes it from the cache.
 *
 * @throws {IdempotencyKeyReusedError} when the key came before with another request
 * @throws {CampaignNotFoundError}
 * @throws {CampaignArchivedError}
 * @throws {QuotaExceededError} when the organization has as many jobs waiting as it may
 */
export const submitJob =
  ({ canonicalJson, newJobId, policies }: SubmitJobPorts) =>
  async (database: ResultsDatabase, actor: Actor, submission: Submission): Promise<Submitted> => {
    const { useCache, idempotencyKey, campaignId, label } = submission;
    const sent = specificationText(canonicalJson, submission);
    const idempotency =
      idempotencyKey === null
        ? null
        : { key: idempotencyKey, requestHash: requestHashOf(canonicalJson, submission, sent) };
    if (idempotency !== null) {
      const earlier = await findEarlier(database, idempotency);
      if (earlier !== null) return earlier;
    }
    const request = campaignId === null ? submission : await withCampaign(database, campaignId, submission);
    const specification = campaignId === null ? sent : specificationText(canonicalJson, request);
    const { engine, pipelineVersion, inputs, params } = request;
    const priority = request.priority ?? DEFAULT_PRIORITY;
    const job: NewDockingJob = {
      jobId: newJobId(),
      status: 'PENDING',
      inputSignature: canonicalJson.hashOf(specification),
      submittedBy: actor.principal.userId,
      cache: { hit: false, canonicalJobId: null, confidenceScore: null },
      label,
      campaignId,
      retryOf: null,
      idempotency,
      note: noteOf(actor, 'job.submitted', {
        engine,
        pipeline_version: pipelineVersion,
        priority,
        status: 'PENDING',
        ...(campaignId !== null && { campaign_id: campaignId }),
      }),
      engine,
      pipelineVersion,
      inputs,
      params,
      priority,
    };
    const quota = pendingQuota(policies, actor);
    const inserted = useCache
      ? await insertUsingCache(database, job, quota)
      : await insertPending(database, job, quota);
    if (inserted !== null) return { job: inserted, replayed: false };

    // A concurrent request inserted the same key between the look and the insert.
    const winner = idempotency === null ? null : await findEarlier(database, idempotency);
    if (winner === null) throw new Error('an insert was refused that no earlier job explains');
    return winner;
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
 * Of what was sent, whatever its campaign says by now. A request without a label and a campaign has the hash that it had in
 * releases that knew neither.
 */
const requestHashOf = (
  canonicalJson: CanonicalJson,
  { engine, inputs, params, pipelineVersion, priority, label, campaignId }: Submission,
  specification: string,
): string => {
  if (label === null && campaignId === null)
    return canonicalJson.hashOf(withPriority(specification, priority ?? DEFAULT_PRIORITY));
  const text = canonicalJson.textOf({
    engine,
    inputs,
    params,
    pipeline_version: pipelineVersion,
    ...(priority !== null && { priority }),
    ...(label !== null && { label }),
    ...(campaignId !== null && { campaign_id: campaignId }),
  });
  return canonicalJson.hashOf(text);
};

/** The canonical text of the specification and the priority: that name follows all others. */
const withPriority = (specification: string, priority: number): string =>
  `${specification.slice(0, -1)},"priority":${priority}}`;

const insertPending = async (
  { jobs }: ResultsRepositories,
  job: NewDockingJob,
  quota: PendingQuota,
): Promise<DockingJob | null> => {
  await quota.admit(jobs, 1);
  return jobs.insert(job);
};

/** Null when the idempotency key is taken; then no use of the cache is counted either. */
const insertUsingCache = async (
  database: ResultsDatabase,
  job: NewDockingJob,
  quota: PendingQuota,
): Promise<DockingJob | null> => {
  try {
    return await database.transaction(async (repositories) => {
      const inserted = await insertFromCache(repositories, job, quota);
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
  return { job: earlier.job, replayed: true };
};
