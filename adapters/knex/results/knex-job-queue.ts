import {
  MOST_COUNTED,
  MOST_ENGINES,
  MOST_WORKERS,
  type EngineQueue,
  type JobQueue,
  type QueueSurvey,
  type SeenWorker,
} from '../../../domain/jobs/job-queue.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

/** The conditions of the indexes that the two kinds of pending jobs are in. */
const READY = `status = 'PENDING' and not_before is null`;
const TIMED = `status = 'PENDING' and not_before is not null`;

/** The engines of an index, one step along it for each: it may hold a million jobs of one engine. */
const enginesOf = (name: string, condition: string): string => `
  ${name} (engine, number) as (
    (select engine, 1 from docking_jobs where ${condition} order by engine limit 1)
    union all
    select following.engine, number + 1 from ${name} cross join lateral (
      select engine from docking_jobs where ${condition} and engine > ${name}.engine order by engine limit 1
    ) as following where number <= ${MOST_ENGINES}
  )`;

type QueueRow = Omit<EngineQueue, 'workers'>;

// The oldest of an engine is the first of one of its priorities, of which there are 101.
const surveyQueue = statement<object, QueueRow>(
  'job_queue_survey',
  () =>
    sql.raw(
      `with recursive ${enginesOf('ready_engines', READY)}, ${enginesOf('timed_engines', TIMED)},
       running as (
         select job.engine, lease.lease_id is null as unleased, lease.expires_at <= now() as lapsed
         from (
           select job_id, engine from docking_jobs where status = 'RUNNING' limit ${MOST_COUNTED}
         ) as job left join job_attempts as lease on lease.job_id = job.job_id and lease.ended_at is null
       ),
       engines as (
         select engine from ready_engines union select engine from timed_engines union select engine from running
         order by engine limit ${MOST_ENGINES + 1}
       )
       select engine, ready.count + timed.due as due, timed.delayed, timed.next_due_at as "nextDueAt",
         least(oldest.created_at, timed.oldest_at) as "oldestAt", active.leased, active.unleased, active.lapsed
       from engines
       cross join lateral (
         select count(*)::int as count from (
           select from docking_jobs where ${READY} and engine = engines.engine limit ${MOST_COUNTED}
         ) as counted
       ) as ready
       cross join lateral (
         select min(first.created_at) as created_at from generate_series(0, 100) as level cross join lateral (
           select created_at from docking_jobs where ${READY} and engine = engines.engine and priority = level
           order by created_at, job_id limit 1
         ) as first
       ) as oldest
       cross join lateral (
         select count(*) filter (where not_before <= now())::int as due,
           count(*) filter (where not_before > now())::int as delayed,
           min(not_before) filter (where not_before > now()) as next_due_at, min(created_at) as oldest_at
         from (
           select not_before, created_at from docking_jobs where ${TIMED} and engine = engines.engine
           order by not_before limit ${MOST_COUNTED}
         ) as counted
       ) as timed
       cross join lateral (
         select count(*) filter (where unleased)::int as unleased, count(*) filter (where lapsed)::int as lapsed,
           count(*) filter (where not lapsed)::int as leased
         from running where running.engine = engines.engine
       ) as active
       order by engine`,
    ),
  { readOnly: true },
);

interface WorkerRow extends SeenWorker {
  readonly engine: string;
}

/** Attempts of an engine in which its workers are looked for, besides those that last. */
const LATEST_ATTEMPTS = 200;

// A lease was last prolonged when it had all its time before it.
const listWorkers = statement<{ engines: readonly string[] }, WorkerRow>(
  'job_queue_workers',
  (p) =>
    sql.raw(
      `with live as (select * from job_attempts where ended_at is null limit ${MOST_COUNTED})
       select asked.engine, worker.name, worker.last_seen_at as "lastSeenAt"
       from unnest(?::text[]) as asked (engine) cross join lateral (
         select worker_name as name,
           max(coalesce(ended_at, greatest(started_at, expires_at - lease_seconds * interval '1 second'))) as last_seen_at
         from (
           select worker_name, started_at, ended_at, expires_at, lease_seconds from live where live.engine = asked.engine
           union all
           (select worker_name, started_at, ended_at, expires_at, lease_seconds from job_attempts
            where engine = asked.engine order by started_at desc limit ${LATEST_ATTEMPTS})
         ) as attempt group by worker_name order by last_seen_at desc, worker_name limit ${MOST_WORKERS}
       ) as worker order by asked.engine, worker.last_seen_at desc, worker.name`,
      [p('engines')],
    ),
  { readOnly: true },
);

/** Looks at the ends of indexes, and counts up to a limit. Decision 0050. */
export class KnexJobQueue implements JobQueue {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async survey(): Promise<QueueSurvey> {
    const found = await this.#executor.query(surveyQueue({}));
    const rows = found.slice(0, MOST_ENGINES);
    const workers = await this.#executor.query(listWorkers({ engines: rows.map(({ engine }) => engine) }));
    const engines = rows.map((row) => ({
      ...row,
      workers: workers
        .filter(({ engine }) => engine === row.engine)
        .map(({ name, lastSeenAt }) => ({ name, lastSeenAt })),
    }));
    return { engines, isCut: found.length > rows.length };
  }
}
