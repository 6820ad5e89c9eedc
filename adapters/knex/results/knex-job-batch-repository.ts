import type { BatchItem, JobBatch, JobBatchRepository, NewJobBatch } from '../../../domain/jobs/job-batch.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';
import { INSERTED_COLUMNS, JSON_COLUMNS } from './docking-job-columns.ts';
import { textArray } from './text-array.ts';

interface BatchValues {
  readonly batchId: string;
  readonly campaignId: string | null;
  readonly jobIds: string;
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
}

const insertBatch = auditedStatement<BatchValues, { readonly batchId: string }>(
  'job_batch_insert',
  { type: 'job_batch', idField: 'batchId' },
  (p) =>
    sql('job_batches')
      .insert({
        batch_id: p('batchId'),
        campaign_id: p('campaignId'),
        job_ids: p('jobIds'),
        idempotency_key: p('idempotencyKey'),
        request_hash: p('requestHash'),
      })
      .onConflict('idempotency_key')
      .ignore()
      .returning('batch_id as batchId'),
);

/** The types of the columns that the jobs of one batch may have different values in. */
const ITEM_TYPES = {
  jobId: 'uuid',
  status: 'text',
  inputs: 'jsonb',
  params: 'jsonb',
  inputSignature: 'text',
  label: 'text',
  cacheHit: 'boolean',
  canonicalJobId: 'uuid',
  cacheConfidenceScore: 'double precision',
} as const;
const COLUMNS = { ...INSERTED_COLUMNS, ...JSON_COLUMNS };
type Field = keyof typeof COLUMNS;

const isOfItem = (field: Field): field is keyof typeof ITEM_TYPES => Object.hasOwn(ITEM_TYPES, field);
// The record has no other keys.
const FIELDS = (Object.keys(COLUMNS) as Field[]).filter((field) => field !== 'retryOf');

/** JSON names that are the fields of a job: an array of jobs is what is sent. */
const RECORD = Object.entries(ITEM_TYPES)
  .map(([field, type]) => `"${field}" ${type}`)
  .join(', ');

type JobsValues = Readonly<Record<Exclude<Field, keyof typeof ITEM_TYPES | 'retryOf'>, unknown>> & {
  /** JSON. */
  readonly items: string;
};

const insertJobs = statement<JobsValues>('docking_job_insert_batch', (p) =>
  sql.raw(
    `insert into docking_jobs (${FIELDS.map((field) => COLUMNS[field]).join(', ')}, completed_at)
     select ${FIELDS.map((field) => (isOfItem(field) ? `item."${field}"` : '?')).join(', ')},
       case when item."cacheHit" then now() end
     from jsonb_to_recordset(?::jsonb) as item (${RECORD})`,
    // What is no field of an item is a value of the batch.
    [...FIELDS.filter((field) => !isOfItem(field)).map((field) => p(field as keyof JobsValues)), p('items')],
  ),
);

interface ReplayRow extends BatchItem {
  readonly batchId: string;
  readonly batchCampaignId: string | null;
  readonly requestHash: string;
}

const findByKey = statement<{ key: string }, ReplayRow>('job_batch_find_by_key', (p) =>
  sql('job_batches as batch')
    .select(
      'batch.batch_id as batchId',
      'batch.campaign_id as batchCampaignId',
      'batch.request_hash as requestHash',
      'job.job_id as jobId',
      'job.status as status',
      'job.cache_hit as cacheHit',
    )
    .joinRaw('cross join unnest(batch.job_ids) with ordinality as item (job_id, number)')
    .join('docking_jobs as job', 'job.job_id', 'item.job_id')
    .where('batch.idempotency_key', p('key'))
    .orderBy('item.number'),
);

export class KnexJobBatchRepository implements JobBatchRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async insert({ batchId, campaignId, jobs, idempotency, note }: NewJobBatch): Promise<boolean> {
    const [first] = jobs;
    if (first === undefined) throw new Error('a batch without jobs');
    const inserted = await this.#executor.query(
      insertBatch({
        batchId,
        campaignId,
        jobIds: textArray(jobs.map(({ jobId }) => jobId)),
        idempotencyKey: idempotency?.key ?? null,
        requestHash: idempotency?.requestHash ?? null,
        note: JSON.stringify(note),
      }),
    );
    if (inserted.length === 0) return false;
    const { engine, pipelineVersion, priority, submittedBy, maxAttempts, maxRuntimeSeconds } = first;
    const items = jobs.map(({ jobId, status, inputs, params, inputSignature, label, cache }) => ({
      jobId,
      status,
      inputs,
      params,
      inputSignature,
      label,
      cacheHit: cache.hit,
      canonicalJobId: cache.canonicalJobId,
      cacheConfidenceScore: cache.confidenceScore,
    }));
    await this.#executor.query(
      insertJobs({
        engine,
        pipelineVersion,
        priority,
        submittedBy,
        maxAttempts,
        maxRuntimeSeconds,
        campaignId,
        items: JSON.stringify(items),
      }),
    );
    return true;
  }

  async findByIdempotencyKey(key: string): Promise<{ batch: JobBatch; requestHash: string } | null> {
    const rows = await this.#executor.query(findByKey({ key }));
    const [first] = rows;
    if (first === undefined) return null;
    const { batchId, batchCampaignId: campaignId, requestHash } = first;
    const items = rows.map(({ jobId, status, cacheHit }) => ({ jobId, status, cacheHit }));
    return { batch: { batchId, campaignId, items }, requestHash };
  }
}
