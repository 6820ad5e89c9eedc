import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { DockingJob, JobStatus, JobSummary, LockedJob } from '../../../domain/jobs/docking-job.ts';
import {
  insertedJob,
  type DockingJobRepository,
  type JobFilter,
  type JobKey,
  type NewDockingJob,
  type SetByDatabase,
} from '../../../domain/jobs/docking-job-repository.ts';
import { JsonText } from '../../../domain/json-text.ts';
import type { PagePart, PartRequest } from '../../../domain/page.ts';
import { insertList, selectJsonTexts } from '../columns.ts';
import { selectList } from '../columns.ts';
import { toPart } from '../sized-list.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';
import { jobKeyOf, listJobs, listJobSummaries } from './docking-job-lists.ts';
import {
  INSERTED_COLUMNS,
  JOB_FIELDS,
  JSON_COLUMNS,
  LOCKED_COLUMNS,
  SUMMARY_FIELDS,
  toDockingJob,
  toJobSummary,
  type DockingJobRow,
  type JobSummaryRow,
} from './docking-job-columns.ts';

const JOB = { type: 'job', idField: 'jobId' } as const;

const find = statement<{ jobId: string }, DockingJobRow>('docking_job_find', (p) =>
  sql('docking_jobs').select(JOB_FIELDS).where('job_id', p('jobId')),
);

const findSummary = statement<{ jobId: string }, JobSummaryRow>('docking_job_find_summary', (p) =>
  sql('docking_jobs').select(SUMMARY_FIELDS).where('job_id', p('jobId')),
);

const findForUpdate = statement<{ jobId: string }, LockedJob>('docking_job_find_for_update', (p) =>
  sql('docking_jobs').select(selectList(LOCKED_COLUMNS)).where('job_id', p('jobId')).forNoKeyUpdate(),
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

type InsertValues = Omit<DockingJobRow, SetByDatabase | 'live'> & {
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
};

/** Returns what the server adds or writes in another way: the rest of the job is as it was given. Decision 0034. */
const insert = auditedStatement<InsertValues, Pick<DockingJobRow, 'createdAt' | 'inputs' | 'params'>>(
  'docking_job_insert',
  JOB,
  (p) =>
    sql('docking_jobs')
      .insert({
        ...insertList({ ...INSERTED_COLUMNS, ...JSON_COLUMNS, ...IDEMPOTENCY_COLUMNS }, p),
        completed_at: sql.raw('case when ?::boolean then now() end', [p('cacheHit')]),
      })
      .onConflict('idempotency_key')
      .ignore()
      .returning(['job_id as jobId', 'created_at as createdAt', ...selectJsonTexts(JSON_COLUMNS)]),
);

const countPending = statement<{ most: number }, { pending: number }>('docking_job_count_pending', (p) =>
  sql.raw(
    `select count(*)::int as pending from (select from docking_jobs where status = 'PENDING' limit ?) as waiting`,
    [p('most')],
  ),
);

/** Any number, the same for all processes. */
const lockPending = statement('docking_job_lock_pending', () =>
  sql.raw(`select pg_advisory_xact_lock(hashtext('mad.pending_jobs'))`),
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
    if (row === undefined) return null;
    return insertedJob(job, {
      createdAt: row.createdAt,
      inputs: new JsonText(row.inputs),
      params: new JsonText(row.params),
    });
  }

  async find(jobId: string): Promise<DockingJob | null> {
    const [row] = await this.#executor.query(find({ jobId }));
    return row === undefined ? null : toDockingJob(row);
  }

  async findSummary(jobId: string): Promise<JobSummary | null> {
    const [row] = await this.#executor.query(findSummary({ jobId }));
    return row === undefined ? null : toJobSummary(row);
  }

  async findForUpdate(jobId: string): Promise<LockedJob | null> {
    const [row] = await this.#executor.query(findForUpdate({ jobId }));
    return row ?? null;
  }

  async findByIdempotencyKey(key: string): Promise<{ job: DockingJob; requestHash: string } | null> {
    const [row] = await this.#executor.query(findByIdempotencyKey({ key }));
    if (row === undefined) return null;
    const { requestHash, ...job } = row;
    return { job: toDockingJob(job), requestHash };
  }

  async list(filter: JobFilter, part: PartRequest<JobKey>): Promise<PagePart<DockingJob, JobKey>> {
    return toPart(await this.#executor.query(listJobs(filter, part)), toDockingJob, jobKeyOf);
  }

  async listSummaries(filter: JobFilter, part: PartRequest<JobKey>): Promise<PagePart<JobSummary, JobKey>> {
    return toPart(await this.#executor.query(listJobSummaries(filter, part)), toJobSummary, jobKeyOf);
  }

  async countPending(most: number): Promise<number> {
    const [row] = await this.#executor.query(countPending({ most }));
    if (row === undefined) throw new Error('a count without a row');
    return row.pending;
  }

  async lockPending(): Promise<void> {
    await this.#executor.query(lockPending({}));
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
