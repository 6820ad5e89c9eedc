import type { LockedJob } from '../../../domain/jobs/docking-job.ts';
import type { AttemptOutcome, ReleaseReason } from '../../../domain/jobs/job-attempt.ts';
import { sizedList } from '../sized-list.ts';
import { sql, statement } from '../statement.ts';
import { LOCKED_COLUMNS } from './docking-job-columns.ts';
import { filledText } from './filled-text.ts';
import { LIVE_ATTEMPTS } from './live-attempts.ts';

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
         exists (select from unnest({engines}::text[]) as wanted cross join lateral (
           select from docking_jobs where status = 'PENDING' and not_before is null and engine = wanted
           -- In the index's order: after a busy time the planner would expect one among the table's first rows.
           order by priority desc, created_at, job_id limit 1
         ) as waiting) as "isWaiting",
         extract(epoch from least(
           (select min(not_before) from docking_jobs
             where status = 'PENDING' and not_before is not null and engine = any({engines}::text[])),
           (select min(expires_at) from (${LIVE_ATTEMPTS}) as live where engine = any({engines}::text[]))
         ) - now())::double precision as "dueInSeconds"`,
      p,
    ),
  { readOnly: true },
);

/**
 * Locks in the order of the leases, as a bulk cancellation does: two of them never wait for each other. A lease that is lost
 * gives no row.
 */
export const heartbeat = statement<
  {
    leaseIds: readonly string[];
    jobIds: readonly string[];
    /** JSON each, or null. */
    progress: readonly (string | null)[];
  },
  { leaseId: string; jobId: string; expiresAt: Date | null }
>('job_heartbeat', (p) =>
  filledText(
    `with locked as (
       select held.lease_id, held.job_id, held.outcome, beat.progress,
         held.ended_at is null and held.deadline_at > now() as is_live
       from unnest({leaseIds}::uuid[], {jobIds}::uuid[], {progress}::jsonb[]) as beat (lease_id, job_id, progress)
       join job_attempts held on held.lease_id = beat.lease_id and held.job_id = beat.job_id
       order by held.lease_id for no key update of held
     ), extended as (
       update job_attempts held set
         expires_at = least(now() + make_interval(secs => held.lease_seconds), held.deadline_at),
         progress = coalesce(locked.progress, held.progress)
       from locked where held.lease_id = locked.lease_id and locked.is_live
       returning held.lease_id, held.job_id, held.expires_at
     )
     select lease_id as "leaseId", job_id as "jobId", expires_at as "expiresAt" from extended
     union all select lease_id, job_id, null from locked where outcome = 'CANCELED'`,
    p,
  ),
);

/**
 * The jobs' locks come before the leases', as everywhere, and both in the order of their ids: whoever locks several never
 * waits for another in a circle. They leave the jobs' keys free: a submission that the cache answers locks its entry there,
 * and then the key of the job that answers. A look-up for each keeps the planner at the keys, however small it believes the
 * tables.
 */
export const lock = statement<
  { jobIds: string; leaseIds: string },
  LockedJob & { readonly leaseId: string; readonly outcome: AttemptOutcome | null }
>(
  'job_attempt_lock',
  (p) =>
    filledText(
      `with jobs as (
         select job.* from (select wanted from unnest({jobIds}::uuid[]) as wanted order by wanted) as ids
         cross join lateral (
           select ${Object.entries(LOCKED_COLUMNS)
             .map(([field, column]) => `${column} as "${field}"`)
             .join(', ')}
           from docking_jobs where job_id = wanted for no key update
         ) as job
       ), held as (
         select lease.* from (select wanted from unnest({leaseIds}::uuid[]) as wanted order by wanted) as ids
         cross join lateral (
           select lease_id, job_id, outcome from job_attempts where lease_id = wanted for update
         ) as lease
         -- Counting the jobs locks them before.
         where (select count(*) from jobs) > 0
       )
       select jobs.*, held.lease_id as "leaseId", held.outcome from jobs join held on held.job_id = jobs."jobId"`,
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

const DROPS = `, dropped_results as (
         delete from task_results using ended
         where "dropsOutput" and task_results.job_id = ended.job_id and task_results.lease_id = ended.lease_id
       ), dropped_artifacts as (
         delete from artifacts using ended
         where "dropsOutput" and artifacts.job_id = ended.job_id and artifacts.lease_id = ended.lease_id
       )`;

/** Of jobs that the caller has locked. The ids stand for themselves as well: by an array of them the planner finds the rows. */
const settleWith = (name: string, drops: string) =>
  statement<{ jobIds: string; settlements: string }>(
    name,
    (p) =>
      filledText(
        `with settlements as (
         select * from jsonb_to_recordset({settlements}::jsonb) as settlement
           ("jobId" uuid, status text, error text, "errorCode" text, attempt integer, "delaySeconds" integer,
            "dropsOutput" boolean, "end" jsonb, note jsonb)
       ), ended as (
         update job_attempts held set ended_at = now(), outcome = "end" ->> 'outcome',
           error = nullif("end" -> 'error', 'null'), usage = nullif("end" -> 'usage', 'null'),
           log_tail = "end" ->> 'logTail', release_reason = "end" ->> 'releaseReason'
         from settlements
         where held.job_id = any({jobIds}::uuid[]) and held.ended_at is null and held.job_id = settlements."jobId"
         returning held.lease_id, held.job_id, "dropsOutput"
       )${drops}, settled as (
         update docking_jobs job set status = settlements.status, error = settlements.error,
           error_code = "errorCode", attempt = settlements.attempt, updated_at = now(),
           started_at = case when settlements.status <> 'PENDING' then started_at end,
           completed_at = case when settlements.status <> 'PENDING' then now() end,
           not_before = case when settlements.status = 'PENDING' and "delaySeconds" > 0
             then now() + make_interval(secs => "delaySeconds") end
         from settlements
         where job.job_id = any({jobIds}::uuid[]) and job.job_id = settlements."jobId"
         returning job.job_id, job.not_before, settlements.note
       )
       insert into audit_outbox (action, entity_type, entity_id, details, user_id, request_id, address)
       select note ->> 'action', 'job', job_id::text,
         jsonb_strip_nulls(note -> 'details' || jsonb_build_object('not_before', not_before)),
         note ->> 'userId', note ->> 'requestId', note ->> 'address'
       from settled`,
        p,
      ),
    { isAudited: true, isDeferrable: true },
  );

/** For settlements that drop no output: PostgreSQL takes its time to start what finds nothing. */
export const settle = settleWith('job_settle', '');
export const settleAndDrop = settleWith('job_settle_and_drop', DROPS);

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
