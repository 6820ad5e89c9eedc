import type { DockingJobRow } from './docking-job-columns.ts';
import {
  ATTEMPTS_EXHAUSTED,
  BENCHING,
  BLAMELESS_FAILURES,
  MAX_CLAIMED_JOBS,
  MAX_ENGINES,
} from '../../../domain/jobs/job-attempt.ts';
import { MAX_PAGE_BYTES } from '../../../domain/page.ts';
import { statement, type SqlQuery } from '../statement.ts';
import { SUMMARY_COLUMNS } from './docking-job-columns.ts';
import { filledText } from './filled-text.ts';
import { LIVE_ATTEMPTS } from './live-attempts.ts';

export interface ClaimValues {
  readonly worker: string;
  readonly workerVersion: string | null;
  /** A JSON array. */
  readonly engines: string;
  readonly limit: number;
  readonly leaseSeconds: number;
  readonly maxRuntimeSeconds: number;
  readonly maxRunningJobs: number | null;
  /** JSON: who claims. */
  readonly note: string;
}

interface Standing {
  readonly benchedSeconds: number | null;
  readonly room: number;
  /** The claim took nothing: there are other jobs than those that it looks for. */
  readonly othersExist: boolean;
}

export interface ClaimedRow extends Omit<DockingJobRow, 'live'>, Standing {
  readonly leaseId: string;
  readonly expiresAt: Date;
  readonly leaseRuntimeSeconds: number;
  /** Its place in the answer, as text. */
  readonly number: string;
}

/** A claim that got nothing returns one row, whose fields of a job are null. */
export type ClaimRow = ClaimedRow | ({ readonly jobId: null } & Standing);

const texts = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');

/**
 * How many jobs of an engine can be locked, and how many of those that waited for a moment are looked at. Others hold fewer of
 * these locked.
 * Limits that the planner can read keep it at the indexes, whatever it believes of the tables: it takes a limit that it cannot
 * read for a tenth of all rows, and would sort them.
 */
const [WINDOW, DUE_WINDOW] = [1000, 500];

/** For the planner alone: no claim takes more. */
const AT_MOST = `limit ${MAX_CLAIMED_JOBS}`;

/** Whether the organization has a quota of jobs that run at a time. */
type Quota = 'quota' | 'no quota';

const ROOM: Readonly<Record<Quota, string>> = {
  'no quota': '{limit}::integer',
  quota: `greatest(0, least({limit}::integer, {maxRunningJobs}::integer
    - (select count(*)::integer from job_attempts where ended_at is null and expires_at >= now())))`,
};

/**
 * PostgreSQL keeps one plan where no value changes what it expects: the list of engines is no array for that reason. It keeps none
 * that costs more than those it made before, when the tables were small; so the part that grows with them has to cost little. The
 * planner takes the comparison of each engine with itself for a choice of one, which most claims name.
 */
const standing = (quota: Quota): string => `
wanted as (
  select engine from jsonb_array_elements_text({engines}::jsonb) as engine where engine = engine || '' limit ${MAX_ENGINES}
), recent as (
  select outcome, ended_at from job_attempts
  where worker_name = {worker} and outcome in ('COMPLETED', 'FAILED')
    and ended_at > now() - interval '${BENCHING.windowSeconds} seconds'
    and coalesce(error ->> 'code', '') not in (${texts(BLAMELESS_FAILURES)})
  order by ended_at desc limit ${BENCHING.failures}
), bench as (
  select case when count(*) filter (where outcome = 'FAILED') = ${BENCHING.failures} then greatest(1,
    ceil(extract(epoch from min(ended_at) - now()) + ${BENCHING.windowSeconds}))::integer end as seconds
  from recent
), room as (
  select seconds, case when seconds is null then ${ROOM[quota]} else 0 end as jobs from bench
)`;

/**
 * Jobs that wait for no moment. The limit outside takes them one by one, and no more are locked. Each lock is skipped that
 * another holds, here and below, so a claim waits for nobody and no deadlock is possible.
 */
const READY = `
ready as (
  select found.* from wanted cross join lateral (
    select * from (
      select job_id, priority, created_at from docking_jobs
      where status = 'PENDING' and not_before is null and engine = wanted.engine
      order by priority desc, created_at, job_id limit ${WINDOW}
      for update skip locked
    ) as first limit (select jobs from missing)
  ) as found
)`;

/** Whether a lease lapsed, or a job that waited for a moment is due: then the claim that looks for them has to decide. */
const OTHERS = `
others as (
  select exists (
    select from (${LIVE_ATTEMPTS}) as live
    where live.expires_at < now() and live.engine in (select engine from wanted)
  ) or exists (
    select from wanted cross join lateral (
      select from docking_jobs where status = 'PENDING' and not_before <= now() and engine = wanted.engine
      order by not_before limit 1
    ) as due
  ) as exist
), missing as (
  select case when others.exist then 0 else room.jobs end as jobs from room, others
)`;

const LAPSED = `
lapsed as (
  select * from (
    select held.lease_id, held.expires_at, job.job_id, case
      -- The release before this one moves jobs and knows no attempts.
      when job.status <> 'RUNNING' then 'over'
      when job.attempt >= job.max_attempts then 'exhausted'
      else 'again' end as fate
    from (${LIVE_ATTEMPTS}) as live
    join job_attempts held on held.lease_id = live.lease_id join docking_jobs job on job.job_id = held.job_id
    where live.expires_at < now() and live.engine in (select engine from wanted)
      and held.ended_at is null and held.expires_at < now()
    order by held.expires_at limit (select jobs from room)
    for update of job, held skip locked
  ) as found ${AT_MOST}
), missing as (
  select (select jobs from room) - count(*) as jobs from lapsed where fate = 'again'
)`;

const DUE = `
due as (
  select found.* from wanted cross join lateral (
    select job.job_id, job.priority, job.created_at from (
      select job_id from docking_jobs
      where status = 'PENDING' and not_before <= now() and engine = wanted.engine
      order by not_before limit ${DUE_WINDOW}
    ) as first join docking_jobs job on job.job_id = first.job_id
    where job.status = 'PENDING' and job.not_before <= now()
    order by job.priority desc, job.created_at, job.job_id limit (select jobs from missing)
    for update of job skip locked
  ) as found
)`;

const PICKED_READY =
  'select null::uuid as lease_id, job_id, 1 as turn, priority, created_at as moment from ready';
const PICKED_ANY = `
      select lease_id, job_id, 0 as turn, 0 as priority, expires_at as moment from lapsed where fate = 'again'
      union all ${PICKED_READY}
      union all select null, job_id, 1, priority, created_at from due`;

const taking = (picked: string): string => `
picked as (
  select * from (
    select * from (${picked}) as every
    order by turn, priority desc, moment, job_id limit (select jobs from room)
  ) as found ${AT_MOST}
), sized as (
  select picked.*, row_number() over standing as number, sum(size.bytes) over standing as total
  from picked cross join lateral (
    select octet_length(inputs::text) + octet_length(params::text) as bytes
    from docking_jobs where docking_jobs.job_id = picked.job_id
  ) as size
  window standing as (order by turn, priority desc, moment, picked.job_id)
), taken as (
  -- One answer holds them all.
  select * from sized where number = 1 or total <= ${MAX_PAGE_BYTES} ${AT_MOST}
)`;

const ENDING = `
ended as (
  update job_attempts set ended_at = now(), outcome = 'LOST' from lapsed
  where job_attempts.lease_id = lapsed.lease_id
    and (lapsed.fate <> 'again' or lapsed.lease_id in (select lease_id from taken))
  returning job_attempts.lease_id, job_attempts.job_id
), dropped_results as (
  delete from task_results using ended
  where task_results.job_id = ended.job_id and task_results.lease_id = ended.lease_id
), dropped_artifacts as (
  delete from artifacts using ended where artifacts.job_id = ended.job_id and artifacts.lease_id = ended.lease_id
), exhausted as (
  update docking_jobs job set status = 'FAILED', error = '${ATTEMPTS_EXHAUSTED.message}',
    error_code = '${ATTEMPTS_EXHAUSTED.code}', updated_at = now(), completed_at = now()
  from lapsed where lapsed.fate = 'exhausted' and job.job_id = lapsed.job_id
  returning job.job_id, job.engine, job.campaign_id, job.attempt, job.error_code
)`;

const moving = (condition: string): string => `
claimed as (
  update docking_jobs job set status = 'RUNNING', attempt = attempt + 1, not_before = null, updated_at = now(),
    started_at = now()
  from taken where job.job_id = taken.job_id
  returning taken.number, ${Object.entries(SUMMARY_COLUMNS)
    .map(([field, column]) => `job.${column} as "${field}"`)
    .join(', ')}, job.inputs::text as inputs, job.params::text as params
), leases as (
  insert into job_attempts
    (job_id, attempt, engine, worker_name, worker_version, lease_seconds, expires_at, deadline_at)
  select "jobId", attempt, engine, {worker}, {workerVersion}, {leaseSeconds}::integer,
    least(now() + make_interval(secs => {leaseSeconds}::integer), deadline.at), deadline.at
  from claimed cross join lateral (
    select now() + make_interval(secs => coalesce("maxRuntimeSeconds", {maxRuntimeSeconds}::integer)) as at
  ) as deadline
  where ${condition}
  returning job_id, lease_id, expires_at, extract(epoch from deadline_at - started_at)::integer as runtime_seconds
)`;

/** @param failed entries of jobs that the claim failed @param othersExist whether other jobs have to be looked for */
const telling = (failed: string, othersExist: string): string => `
audited as (
  insert into audit_outbox (action, entity_type, entity_id, details, user_id, request_id, address)
  select entry.action, entry.entity_type, entry.entity_id, jsonb_strip_nulls(entry.details),
    note."userId", note."requestId", note.address
  from jsonb_to_record({note}::jsonb) as note ("userId" text, "requestId" text, address text) cross join (
    select 'job.claimed' as action, 'job_claim' as entity_type, gen_random_uuid()::text as entity_id,
      jsonb_build_object('status', 'RUNNING', 'worker', {worker}::text,
        'engines', (select jsonb_object_agg(engine, jobs)
          from (select engine, count(*) as jobs from claimed group by engine) as engines),
        'job_ids', (select jsonb_agg("jobId" order by number) from claimed),
        'lease_expires_at', (select min(expires_at) from leases)) as details
    where exists (select from claimed)
    ${failed}
  ) as entry
)
select room.seconds as "benchedSeconds", room.jobs as room, ${othersExist} as "othersExist", given.*
from room left join (
  select claimed.*, leases.lease_id as "leaseId", leases.expires_at as "expiresAt",
    leases.runtime_seconds as "leaseRuntimeSeconds"
  from claimed join leases on leases.job_id = claimed."jobId"
) as given on true
order by given.number`;

const FAILED = `union all
    select 'job.failed', 'job', job_id::text, jsonb_build_object('status', 'FAILED', 'engine', engine,
      'campaign_id', campaign_id, 'attempt', attempt, 'error_code', error_code)
    from exhausted`;

const PARTS = {
  ready: [OTHERS, READY, taking(PICKED_READY), moving('true'), telling('', '(select exist from others)')],
  any: [
    LAPSED,
    READY,
    DUE,
    taking(PICKED_ANY),
    ENDING,
    // One lease of a job is live: the lost ones end before.
    moving('(select count(*) from ended) >= 0'),
    telling(FAILED, 'false'),
  ],
} as const;

const claimOf = (name: string, jobs: keyof typeof PARTS): ((values: ClaimValues) => SqlQuery<ClaimRow>) => {
  const claimWith = (fullName: string, quota: Quota) =>
    statement<ClaimValues, ClaimRow>(
      fullName,
      (p) => filledText(`with ${[standing(quota), ...PARTS[jobs]].join(',')}`, p),
      { isAudited: true },
    );
  const freely = claimWith(name, 'no quota');
  const withinQuota = claimWith(`${name}_within_quota`, 'quota');
  return (values) => (values.maxRunningJobs === null ? freely : withinQuota)(values);
};

/**
 * Picks jobs, moves them, opens their attempts and notes it, in one statement: a claim is never half. The index of waiting
 * jobs stands in the order of the picking, so the server reads as many entries as it takes. Decision 0045.
 */
export const claimAny = claimOf('job_claim', 'any');

/**
 * As `claimAny`, of jobs that wait for no moment; it takes none when others exist. Most claims find no others, and PostgreSQL
 * takes its time to start the parts of a plan that look for them. Decision 0063.
 */
export const claimReady = claimOf('job_claim_ready', 'ready');
