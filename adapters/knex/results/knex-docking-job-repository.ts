import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { DockingJob, JobStatus } from '../../../domain/jobs/docking-job.ts';
import type {
  DockingJobRepository,
  JobKey,
  NewDockingJob,
} from '../../../domain/jobs/docking-job-repository.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { dynamicQuery, sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';
import { DOCKING_JOB_COLUMNS, toDockingJob, type DockingJobRow } from './docking-job-row.ts';

const find = statement<{ jobId: string }, DockingJobRow>('docking_job_find', (p) =>
  sql('docking_jobs').select(DOCKING_JOB_COLUMNS).where('job_id', p('jobId')),
);

const findForUpdate = statement<{ jobId: string }, DockingJobRow>('docking_job_find_for_update', (p) =>
  sql('docking_jobs').select(DOCKING_JOB_COLUMNS).where('job_id', p('jobId')).forUpdate(),
);

const findByIdempotencyKey = statement<{ key: string }, DockingJobRow>('docking_job_find_by_key', (p) =>
  sql('docking_jobs').select(DOCKING_JOB_COLUMNS).where('idempotency_key', p('key')),
);

interface InsertValues {
  readonly jobId: string;
  readonly status: NewDockingJob['status'];
  readonly engine: string;
  readonly pipelineVersion: string;
  /** JSON. */
  readonly inputs: string;
  /** JSON. */
  readonly params: string;
  readonly priority: number;
  readonly inputSignature: string;
  readonly submittedBy: string;
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
  readonly cacheHit: boolean;
  readonly canonicalJobId: string | null;
  readonly confidenceScore: number | null;
}

const JOB = { type: 'job', idColumn: 'job_id' } as const;

/** Returns what the server adds to a job: its other times follow from this one, and the rest is as it was given. */
const insert = auditedStatement<InsertValues, Pick<DockingJobRow, 'created_at'>>(
  'docking_job_insert',
  JOB,
  (p) =>
    sql('docking_jobs')
      .insert({
        job_id: p('jobId'),
        status: p('status'),
        engine: p('engine'),
        pipeline_version: p('pipelineVersion'),
        inputs: p('inputs'),
        params: p('params'),
        priority: p('priority'),
        input_signature: p('inputSignature'),
        submitted_by: p('submittedBy'),
        idempotency_key: p('idempotencyKey'),
        request_hash: p('requestHash'),
        cache_hit: p('cacheHit'),
        canonical_job_id: p('canonicalJobId'),
        cache_confidence_score: p('confidenceScore'),
        completed_at: sql.raw('case when ?::boolean then now() end', [p('cacheHit')]),
      })
      .onConflict('idempotency_key')
      .ignore()
      .returning(['job_id', 'created_at']),
);

const setStatus = auditedStatement<{ jobId: string; status: JobStatus; error: string | null }, DockingJobRow>(
  'docking_job_set_status',
  JOB,
  (p) =>
    sql('docking_jobs')
      .where('job_id', p('jobId'))
      .update({
        status: p('status'),
        error: p('error'),
        updated_at: sql.raw('now()'),
        started_at: sql.raw(`case when ?::text = 'RUNNING' then now() else started_at end`, [p('status')]),
        completed_at: sql.raw(`case when ?::text = 'RUNNING' then null else now() end`, [p('status')]),
      })
      .returning(DOCKING_JOB_COLUMNS),
);

export class KnexDockingJobRepository implements DockingJobRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async insert(job: NewDockingJob): Promise<DockingJob | null> {
    const { jobId, status, engine, pipelineVersion, inputs, params, priority } = job;
    const { inputSignature, submittedBy, cache, idempotency, note } = job;
    const values = {
      jobId,
      status,
      engine,
      pipelineVersion,
      inputs: JSON.stringify(inputs),
      params: JSON.stringify(params),
      priority,
      inputSignature,
      submittedBy,
      idempotencyKey: idempotency?.key ?? null,
      requestHash: idempotency?.requestHash ?? null,
      cacheHit: cache.hit,
      canonicalJobId: cache.canonicalJobId,
      confidenceScore: cache.confidenceScore,
      note: JSON.stringify(note),
    };
    const [row] = await this.#executor.query(insert(values));
    if (row === undefined) return null;
    const { created_at: createdAt } = row;
    return {
      jobId,
      status,
      engine,
      pipelineVersion,
      inputs,
      params,
      priority,
      inputSignature,
      submittedBy,
      createdAt,
      updatedAt: createdAt,
      startedAt: null,
      completedAt: cache.hit ? createdAt : null,
      error: null,
      cache,
    };
  }

  async find(jobId: string): Promise<DockingJob | null> {
    const [row] = await this.#executor.query(find({ jobId }));
    return row === undefined ? null : toDockingJob(row);
  }

  async findForUpdate(jobId: string): Promise<DockingJob | null> {
    const [row] = await this.#executor.query(findForUpdate({ jobId }));
    return row === undefined ? null : toDockingJob(row);
  }

  async findByIdempotencyKey(key: string): Promise<{ job: DockingJob; requestHash: string } | null> {
    const [row] = await this.#executor.query(findByIdempotencyKey({ key }));
    return row === undefined || row.request_hash === null
      ? null
      : { job: toDockingJob(row), requestHash: row.request_hash };
  }

  async list(
    filter: { readonly status: JobStatus | null },
    { limit, after }: PageRequest<JobKey>,
  ): Promise<Page<DockingJob, JobKey>> {
    const query = sql('docking_jobs')
      .select(DOCKING_JOB_COLUMNS)
      .orderBy([
        { column: 'created_at', order: 'desc' },
        { column: 'job_id', order: 'desc' },
      ])
      .limit(limit + 1);
    if (filter.status !== null) query.where('status', filter.status);
    if (after !== null) query.whereRaw('(created_at, job_id) < (?, ?)', [after.createdAt, after.jobId]);
    const rows = await this.#executor.query(dynamicQuery<DockingJobRow>(query));
    return toPage(rows.map(toDockingJob), limit, ({ createdAt, jobId }) => ({ createdAt, jobId }));
  }

  async setStatus(
    jobId: string,
    status: JobStatus,
    error: string | null,
    note: WriteNote,
  ): Promise<DockingJob> {
    const [row] = await this.#executor.query(setStatus({ jobId, status, error, note: JSON.stringify(note) }));
    if (row === undefined) throw new Error('a locked job vanished');
    return toDockingJob(row);
  }
}
