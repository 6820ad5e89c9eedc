import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { DockingJob, JobStatus } from '../../../domain/jobs/docking-job.ts';
import {
  insertedJob,
  type DockingJobRepository,
  type InsertedParts,
  type JobKey,
  type NewDockingJob,
  type SetByDatabase,
} from '../../../domain/jobs/docking-job-repository.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { insertList, selectList } from '../columns.ts';
import { dynamicQuery, sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';
import {
  DOCKING_JOB_COLUMNS,
  INSERTED_COLUMNS,
  toDockingJob,
  type DockingJobRow,
} from './docking-job-columns.ts';

const JOB = { type: 'job', idField: 'jobId' } as const;
const JOB_FIELDS = selectList(DOCKING_JOB_COLUMNS);

const find = statement<{ jobId: string }, DockingJobRow>('docking_job_find', (p) =>
  sql('docking_jobs').select(JOB_FIELDS).where('job_id', p('jobId')),
);

const findForUpdate = statement<{ jobId: string }, DockingJobRow>('docking_job_find_for_update', (p) =>
  sql('docking_jobs').select(JOB_FIELDS).where('job_id', p('jobId')).forUpdate(),
);

/** An insert writes these as well. Both are null, or neither is: a constraint says so. */
const IDEMPOTENCY_COLUMNS = { idempotencyKey: 'idempotency_key', requestHash: 'request_hash' } as const;

const findByIdempotencyKey = statement<{ key: string }, DockingJobRow & { readonly requestHash: string }>(
  'docking_job_find_by_key',
  (p) =>
    sql('docking_jobs')
      .select([...JOB_FIELDS, 'request_hash as requestHash'])
      .where('idempotency_key', p('key')),
);

type InsertValues = Omit<DockingJobRow, SetByDatabase | 'inputs' | 'params'> & {
  /** JSON. */
  readonly inputs: string;
  /** JSON. */
  readonly params: string;
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
};

/** Returns what the server adds or writes in another way: the rest of the job is as it was given. Decision 0034. */
const insert = auditedStatement<InsertValues, InsertedParts>('docking_job_insert', JOB, (p) =>
  sql('docking_jobs')
    .insert({
      ...insertList({ ...INSERTED_COLUMNS, ...IDEMPOTENCY_COLUMNS }, p),
      completed_at: sql.raw('case when ?::boolean then now() end', [p('cacheHit')]),
    })
    .onConflict('idempotency_key')
    .ignore()
    .returning(['job_id as jobId', 'created_at as createdAt', 'inputs', 'params']),
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
      .returning(JOB_FIELDS),
);

export class KnexDockingJobRepository implements DockingJobRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async insert(job: NewDockingJob): Promise<DockingJob | null> {
    const { inputs, params, cache, idempotency, note, ...values } = job;
    const [row] = await this.#executor.query(
      insert({
        inputs: JSON.stringify(inputs),
        params: JSON.stringify(params),
        cacheHit: cache.hit,
        canonicalJobId: cache.canonicalJobId,
        cacheConfidenceScore: cache.confidenceScore,
        idempotencyKey: idempotency?.key ?? null,
        requestHash: idempotency?.requestHash ?? null,
        note: JSON.stringify(note),
        // The spread is last: V8 is slow to add fields after one. Decision 0024.
        ...values,
      }),
    );
    return row === undefined ? null : insertedJob(job, row);
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
    if (row === undefined) return null;
    const { requestHash, ...job } = row;
    return { job: toDockingJob(job), requestHash };
  }

  async list(
    filter: { readonly status: JobStatus | null },
    { limit, after }: PageRequest<JobKey>,
  ): Promise<Page<DockingJob, JobKey>> {
    const query = sql('docking_jobs')
      .select(JOB_FIELDS)
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
