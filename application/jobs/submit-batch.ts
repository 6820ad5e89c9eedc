import { NO_DEFAULTS, overDefaults, type JobDefaults } from '../../domain/campaigns/job-defaults.ts';
import { fileReferencesOf } from '../../domain/files/file-reference.ts';
import type { SubmissionWarning } from '../../domain/files/submission-warning.ts';
import { inspectJson } from '../../domain/json/inspect-json.ts';
import { IdempotencyKeyReusedError } from '../../domain/jobs/errors.ts';
import { DEFAULT_PRIORITY, type JsonObject } from '../../domain/jobs/docking-job.ts';
import type { Idempotency } from '../../domain/jobs/docking-job-repository.ts';
import type { InputSignature } from '../../domain/jobs/input-signature.ts';
import { DEFAULT_MAX_ATTEMPTS } from '../../domain/jobs/job-attempt.ts';
import type { BatchedJob, JobBatch, NewJobBatch } from '../../domain/jobs/job-batch.ts';
import { ValidationError, type InputIssue } from '../../domain/validation-error.ts';
import { noteOf, type Actor } from '../actor.ts';
import { openCampaign } from '../campaigns/open-campaign.ts';
import { pendingQuota } from '../limits/pending-quota.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import type { Ports } from '../ports/ports.ts';
import { checkInputFiles, recordInputFiles } from './check-input-files.ts';
import { KeyTaken, unlessKeyTaken } from './unless-key-taken.ts';

export interface BatchSubmission extends JobDefaults {
  readonly campaignId: string | null;
  readonly pipelineVersion: string;
  /** Null: as many as usual. */
  readonly maxAttempts: number | null;
  readonly maxRuntimeSeconds: number | null;
  readonly items: readonly {
    readonly label: string | null;
    readonly inputs: JsonObject;
    readonly params: JsonObject;
  }[];
  readonly useCache: boolean;
  readonly idempotencyKey: string | null;
}

/** `replayed`: this batch was seen before under its idempotency key, and made nothing. */
export interface SubmittedBatch {
  readonly batch: JobBatch;
  readonly replayed: boolean;
  /** Of each item, in their order. They are not kept: a replay has none. */
  readonly warnings: readonly (readonly SubmissionWarning[])[];
}

/** What the jobs of one batch may take together, as JSON. What is merged into each of them counts for each. */
const MAX_CHARACTERS = 8 * 1024 * 1024;
const MAX_VALUES = 100_000;
const MAX_ISSUES = 50;

/**
 * Records a job for each item, or completes it from the cache: all of them, or none. What an item says stands before what the
 * batch says, and that before what the campaign says. Items that are equal become jobs of their own.
 *
 * @throws {IdempotencyKeyReusedError} when the key came before with another request
 * @throws {CampaignNotFoundError}
 * @throws {CampaignArchivedError}
 * @throws {ValidationError} when an item has no inputs, nobody names an engine, the jobs would be too large, or files are named
 *   that the organization does not have or the engine refuses
 * @throws {QuotaExceededError} when more jobs would wait than may
 */
export const submitBatch =
  ({ canonicalJson, newJobId, policies }: Pick<Ports, 'canonicalJson' | 'newJobId' | 'policies'>) =>
  async (database: ResultsDatabase, actor: Actor, submission: BatchSubmission): Promise<SubmittedBatch> => {
    const { idempotencyKey, campaignId, useCache } = submission;
    const idempotency =
      idempotencyKey === null
        ? null
        : { key: idempotencyKey, requestHash: canonicalJson.hashOf(requestText(canonicalJson, submission)) };
    if (idempotency !== null) {
      const earlier = await findEarlier(database, idempotency);
      if (earlier !== null) return earlier;
    }
    const ofCampaign = campaignId === null ? NO_DEFAULTS : await openCampaign(database, campaignId);
    const jobs = jobsOf({ canonicalJson, newJobId }, overDefaults(ofCampaign, submission), submission, actor);
    const quota = pendingQuota(policies, actor);
    const inserted = await unlessKeyTaken(database, async (repositories) => {
      const warnings = await assertFiles(repositories, jobs);
      const answered = useCache ? await answerFromCache(repositories, jobs) : jobs;
      const waiting = answered.filter(({ cache }) => !cache.hit).length;
      await quota.admit(repositories.jobs, waiting);
      const made: NewJobBatch = {
        batchId: newJobId(),
        campaignId,
        jobs: answered,
        idempotency,
        note: noteOf(actor, 'job_batch.submitted', detailsOf(answered, waiting, campaignId)),
      };
      if (!(await repositories.batches.insert(made))) throw new KeyTaken();
      await recordInputFiles(repositories, jobs.map(referencesOf));
      if (waiting < answered.length)
        await repositories.scores.copy(answered.filter(({ cache }) => cache.hit).map(({ jobId }) => jobId));
      return { batch: submittedOf(made), warnings };
    });
    if (inserted !== null) return { ...inserted, replayed: false };

    // A concurrent request inserted the same key between the look and the insert.
    const winner = idempotency === null ? null : await findEarlier(database, idempotency);
    if (winner === null) throw new Error('an insert was refused that no earlier batch explains');
    return winner;
  };

/** @throws {ValidationError} with the item's place in each path */
const assertFiles = async (
  repositories: Pick<ResultsRepositories, 'files'>,
  jobs: readonly BatchedJob[],
): Promise<readonly (readonly SubmissionWarning[])[]> => {
  const checked = await checkInputFiles(repositories, jobs);
  const issues = checked.flatMap((ofJob, index) =>
    ofJob.issues.map(({ path, message }): InputIssue => ({ path: `items.${index}.${path}`, message })),
  );
  if (issues.length > 0) throw new ValidationError(issues.slice(0, MAX_ISSUES));
  return checked.map(({ warnings }) => warnings);
};

const referencesOf = ({ jobId, inputs }: BatchedJob) => ({
  jobId,
  references: fileReferencesOf(inputs).references,
});

const findEarlier = async (
  { batches }: ResultsRepositories,
  { key, requestHash }: Idempotency,
): Promise<SubmittedBatch | null> => {
  const earlier = await batches.findByIdempotencyKey(key);
  if (earlier === null) return null;
  if (earlier.requestHash !== requestHash) throw new IdempotencyKeyReusedError();
  return { batch: earlier.batch, replayed: true, warnings: [] };
};

/** Of what was sent, whatever its campaign says by now. What is not said is left out: a later release may know more fields. */
const requestText = (
  canonicalJson: Ports['canonicalJson'],
  { useCache: _useCache, idempotencyKey: _key, ...request }: BatchSubmission,
): string => {
  const said = Object.entries(request).filter(([, value]) => value !== null);
  return canonicalJson.textOf(Object.fromEntries(said));
};

/** @throws {ValidationError} */
const jobsOf = (
  { canonicalJson, newJobId }: Pick<Ports, 'canonicalJson' | 'newJobId'>,
  defaults: JobDefaults,
  { items, campaignId, pipelineVersion, maxAttempts, maxRuntimeSeconds }: BatchSubmission,
  { principal }: Actor,
): readonly BatchedJob[] => {
  const { engine, priority } = defaults;
  if (engine === null) throw new ValidationError([{ path: 'engine', message: 'is required' }]);
  assertAffordable(defaults, items);
  const empty: number[] = [];
  // Jobs of one moment run in the order of their ids: here it is that of the items.
  const jobIds = items.map(() => newJobId()).toSorted();
  const jobs = items.map((item, index): BatchedJob => {
    const inputs = { ...defaults.inputs, ...item.inputs };
    const params = { ...defaults.params, ...item.params };
    if (Object.keys(inputs).length === 0) empty.push(index);
    const { nameless } = fileReferencesOf(inputs);
    const text = canonicalJson.textOf({
      engine,
      inputs: nameless,
      params,
      pipeline_version: pipelineVersion,
    });
    return {
      jobId: jobIds[index] ?? newJobId(),
      status: 'PENDING',
      engine,
      pipelineVersion,
      inputs,
      params,
      priority: priority ?? DEFAULT_PRIORITY,
      inputSignature: canonicalJson.hashOf(text),
      submittedBy: principal.userId,
      label: item.label,
      campaignId,
      maxAttempts: maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      maxRuntimeSeconds,
      cache: { hit: false, canonicalJobId: null, confidenceScore: null },
    };
  });
  if (empty.length === 0) return jobs;
  throw new ValidationError(
    empty
      .slice(0, MAX_ISSUES)
      .map((index) => ({ path: `items.${index}.inputs`, message: 'must not be empty' })),
  );
};

/** Two thousand bytes of defaults are two million in a batch of a thousand jobs. @throws {ValidationError} */
const assertAffordable = ({ inputs, params }: JobDefaults, items: BatchSubmission['items']): void => {
  const merged = JSON.stringify([inputs, params]);
  const { values } = inspectJson(merged, 0);
  if (merged.length * items.length <= MAX_CHARACTERS && values * items.length <= MAX_VALUES) return;
  const message = `must not take more than ${MAX_CHARACTERS} characters or ${MAX_VALUES} values with what the batch and its campaign add to each`;
  throw new ValidationError([{ path: 'items', message }]);
};

/** One look for all signatures. Each job that is answered counts as one use. */
const answerFromCache = async (
  { inputSignatures }: ResultsRepositories,
  jobs: readonly BatchedJob[],
): Promise<readonly BatchedJob[]> => {
  const uses = new Map<string, number>();
  for (const { inputSignature } of jobs) uses.set(inputSignature, (uses.get(inputSignature) ?? 0) + 1);
  const entries = await inputSignatures.useAll(uses);
  return jobs.map((job) => withAnswer(job, entries.get(job.inputSignature)));
};

const withAnswer = (job: BatchedJob, entry: InputSignature | undefined): BatchedJob =>
  entry === undefined
    ? job
    : {
        ...job,
        status: 'COMPLETED',
        cache: {
          hit: true,
          canonicalJobId: entry.canonicalJobId,
          confidenceScore: entry.confidenceScore,
        },
      };

const detailsOf = (jobs: readonly BatchedJob[], waiting: number, campaignId: string | null) => ({
  engine: jobs[0]?.engine,
  jobs: jobs.length,
  waiting,
  priority: jobs[0]?.priority,
  status: waiting > 0 ? 'PENDING' : 'COMPLETED',
  ...(campaignId !== null && { campaign_id: campaignId }),
});

const submittedOf = ({ batchId, campaignId, jobs }: NewJobBatch): JobBatch => ({
  batchId,
  campaignId,
  items: jobs.map(({ jobId, status, cache }) => ({ jobId, status, cacheHit: cache.hit })),
});
