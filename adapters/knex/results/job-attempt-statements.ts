import type { AttemptOutcome, ReleaseReason } from '../../../domain/jobs/job-attempt.ts';
import type { JobStatus } from '../../../domain/jobs/docking-job.ts';
import { sizedList } from '../sized-list.ts';
import { sql, statement } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';
import { JOB_FIELDS, SUMMARY_COLUMNS, type DockingJobRow, type LockedJobRow } from './docking-job-columns.ts';
import { filledText } from './filled-text.ts';

/** Any number, the same for all processes: who counts leases in this database holds it. */
export const lockClaims = statement('job_claims_lock', () =>
  sql.raw(`select pg_advisory_xact_lock(hashtext('mad.job_claims'))`),
);

export const outlook = statement<
  { engines: readonly string[] },
  { isWaiting: boolean; dueInSeconds: number | null }
>(
  'job_outlook',
  (p) =>
    filledText(
      `select
         exists (select from docking_jobs
           where status = 'PENDING' and not_before is null and engine = any({engines}::text[])) as "isWaiting",
         extract(epoch from least(
           (select min(not_before) from docking_jobs
             where status = 'PENDING' and not_before is not null and engine = any({engines}::text[])),
           (select min(expires_at) from job_attempts where ended_at is null and engine = any({engines}::text[]))
         ) - now())::double precision as "dueInSeconds"`,
      p,
    ),
  { readOnly: true },
);

/** Locks in the order of the leases, as a bulk cancellation does: two of them never wait for each other. */
export const heartbeat = statement<
  { beats: string },
  { jobId: string; leaseId: string; isCanceled: boolean; expiresAt: Date | null }
>('job_heartbeat', (p) =>
  filledText(
    `with beats as (
       select * from jsonb_to_recordset({beats}::jsonb) as beat ("jobId" uuid, "leaseId" uuid, progress jsonb)
     ), locked as (
       select held.lease_id, held.outcome, beats.progress, held.ended_at is null and held.deadline_at > now() as is_live
       from job_attempts held join beats on held.lease_id = beats."leaseId" and held.job_id = beats."jobId"
       order by held.lease_id for update of held
     ), extended as (
       update job_attempts held set
         expires_at = least(now() + make_interval(secs => held.lease_seconds), held.deadline_at),
         progress = coalesce(locked.progress, held.progress)
       from locked where held.lease_id = locked.lease_id and locked.is_live
       returning held.lease_id, held.job_id, held.expires_at
     )
     select beats."jobId", beats."leaseId", extended.expires_at as "expiresAt",
       coalesce(locked.outcome = 'CANCELED', false) as "isCanceled"
     from beats
     left join extended on extended.lease_id = beats."leaseId" and extended.job_id = beats."jobId"
     left join locked on locked.lease_id = beats."leaseId"`,
    p,
  ),
);

/** The job's lock comes before the lease's, as everywhere. */
export const lock = statement<
  { jobId: string; leaseId: string },
  LockedJobRow & { readonly outcome: AttemptOutcome | null }
>(
  'job_attempt_lock',
  (p) =>
    filledText(
      `select ${Object.entries(SUMMARY_COLUMNS)
        .map(([field, column]) => `job.${column} as "${field}"`)
        .join(', ')}, held.outcome
       from docking_jobs job join job_attempts held on held.job_id = job.job_id
       where job.job_id = {jobId} and held.lease_id = {leaseId}
       for update of job, held`,
      p,
    ),
  { readOnly: false },
);

export const hasLive = statement<{ jobId: string }, { lease_id: string }>('job_attempt_has_live', (p) =>
  sql('job_attempts').select('lease_id').where('job_id', p('jobId')).whereNull('ended_at'),
);

export const extend = statement<{ leaseId: string }>('job_attempt_extend', (p) =>
  sql('job_attempts')
    .where('lease_id', p('leaseId'))
    .whereNull('ended_at')
    .update({ expires_at: sql.raw('least(now() + make_interval(secs => lease_seconds), deadline_at)') }),
);

export const countCannotRun = statement<{ jobId: string }, { count: number }>(
  'job_attempt_count_cannot_run',
  (p) =>
    sql('job_attempts')
      .select(sql.raw('count(*)::integer as count'))
      .where('job_id', p('jobId'))
      .where('release_reason', 'cannot_run'),
);

export interface SettleValues {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly error: string | null;
  readonly errorCode: string | null;
  readonly attempt: number;
  readonly delaySeconds: number;
  readonly dropsOutput: boolean;
  readonly outcome: AttemptOutcome;
  /** JSON. */
  readonly attemptError: string | null;
  /** JSON. */
  readonly usage: string | null;
  readonly logTail: string | null;
  readonly releaseReason: ReleaseReason | null;
}

export const settle = auditedStatement<SettleValues, DockingJobRow & { readonly notBefore: Date | null }>(
  'job_settle',
  { type: 'job', idField: 'jobId' },
  (p) =>
    sql('docking_jobs')
      .where('job_id', p('jobId'))
      .update({
        status: p('status'),
        error: p('error'),
        error_code: p('errorCode'),
        attempt: p('attempt'),
        updated_at: sql.raw('now()'),
        started_at: sql.raw(`case when ?::text <> 'PENDING' then started_at end`, [p('status')]),
        completed_at: sql.raw(`case when ?::text <> 'PENDING' then now() end`, [p('status')]),
        not_before: sql.raw(
          `case when ?::text = 'PENDING' and ?::integer > 0 then now() + make_interval(secs => ?::integer) end`,
          [p('status'), p('delaySeconds'), p('delaySeconds')],
        ),
      })
      .returning([...JOB_FIELDS, 'not_before as notBefore']),
  {
    details: `jsonb_strip_nulls(note.details || jsonb_build_object('not_before', written."notBefore"))`,
    beside: (p) =>
      filledText(
        `ended as (
         update job_attempts set ended_at = now(), outcome = {outcome}, error = {attemptError}::jsonb,
           usage = {usage}::jsonb, log_tail = {logTail}, release_reason = {releaseReason}
         where job_id = {jobId} and ended_at is null returning lease_id, job_id
       ), dropped_results as (
         delete from task_results using ended
         where {dropsOutput}::boolean and task_results.job_id = ended.job_id and task_results.lease_id = ended.lease_id
       ), dropped_artifacts as (
         delete from artifacts using ended
         where {dropsOutput}::boolean and artifacts.job_id = ended.job_id and artifacts.lease_id = ended.lease_id
       )`,
        p,
      ),
  },
);

/** Of jobs that the caller has locked before: a lease that began meanwhile is seen. */
export const cancelLocked = statement<{ jobIds: readonly string[]; note: string }, { canceled: number }>(
  'job_cancel_locked',
  (p) =>
    filledText(
      `with live as (
         select lease_id from job_attempts where job_id = any({jobIds}::uuid[]) and ended_at is null
         order by lease_id for update
       ), ended as (
         update job_attempts set ended_at = now(), outcome = 'CANCELED' from live
         where job_attempts.lease_id = live.lease_id
       ), canceled as (
         update docking_jobs set status = 'CANCELED', not_before = null, updated_at = now(), completed_at = now()
         where job_id = any({jobIds}::uuid[]) returning job_id
       ), audited as (
         insert into audit_outbox (action, entity_type, entity_id, details, user_id, request_id, address)
         select note.action, 'job_cancellation', gen_random_uuid()::text, note.details || jsonb_build_object(
             'job_ids', (select jsonb_agg(job_id) from (select job_id from canceled limit 100) as first),
             'jobs', (select count(*) from canceled)),
           note."userId", note."requestId", note.address
         from jsonb_to_record({note}::jsonb) as note
           (action text, details jsonb, "userId" text, "requestId" text, address text)
       )
       select count(*)::integer as canceled from canceled`,
      p,
    ),
  { isAudited: true },
);

export interface AttemptRow {
  readonly leaseId: string;
  readonly attempt: number;
  readonly workerName: string;
  readonly workerVersion: string | null;
  readonly startedAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
  readonly outcome: AttemptOutcome | null;
  readonly releaseReason: ReleaseReason | null;
  readonly logTail: string | null;
  /** JSON. */
  readonly error: string | null;
  /** JSON. */
  readonly usage: string | null;
}

export const list = sizedList<AttemptRow>('job_attempt_list', {
  table: 'job_attempts',
  columns: {
    leaseId: 'lease_id',
    attempt: 'attempt',
    workerName: 'worker_name',
    workerVersion: 'worker_version',
    startedAt: 'started_at',
    expiresAt: 'expires_at',
    endedAt: 'ended_at',
    outcome: 'outcome',
    releaseReason: 'release_reason',
    logTail: 'log_tail',
  },
  texts: ['log_tail'],
  json: { error: 'error', usage: 'usage' },
  order: ['started_at', 'lease_id'],
  direction: 'asc',
});
