import type { UsageBatch, UsageLedger } from '../../../application/ports/usage/usage-ledger.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { DailyUsage, DayRange } from '../../../domain/usage/daily-usage.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface Columns {
  readonly organizations: readonly string[];
  readonly days: readonly string[];
  readonly requests: readonly number[];
  readonly refusals: readonly number[];
  readonly dbMs: readonly number[];
  readonly egressBytes: readonly number[];
  readonly storedBytes: readonly (number | null)[];
}

// All processes write rows in one order, so none waits for another that waits for it.
const add = statement<Columns & { writer: string; batch: number }>('usage_add', (p) =>
  sql.raw(
    `with batch as (
       insert into usage_writers (instance_id, batch) values (?, ?)
       on conflict (instance_id) do update set batch = excluded.batch, written_at = now()
         where usage_writers.batch < excluded.batch
       returning instance_id
     ), forgotten as (
       delete from usage_writers where written_at < now() - interval '1 day' and instance_id <> ?
     )
     insert into usage_daily (org_id, day, requests, refusals, db_ms, egress_bytes, stored_bytes)
     select org_id, day, requests, refusals, db_ms, egress_bytes, stored_bytes
     from unnest(?::text[], ?::date[], ?::bigint[], ?::bigint[], ?::float8[], ?::bigint[], ?::bigint[])
       as counted (org_id, day, requests, refusals, db_ms, egress_bytes, stored_bytes)
     join organizations using (org_id)
     where exists (select from batch)
     order by org_id, day
     on conflict (org_id, day) do update set
       requests = usage_daily.requests + excluded.requests,
       refusals = usage_daily.refusals + excluded.refusals,
       db_ms = usage_daily.db_ms + excluded.db_ms,
       egress_bytes = usage_daily.egress_bytes + excluded.egress_bytes,
       stored_bytes = greatest(usage_daily.stored_bytes, excluded.stored_bytes)`,
    [
      p('writer'),
      p('batch'),
      p('writer'),
      p('organizations'),
      p('days'),
      p('requests'),
      p('refusals'),
      p('dbMs'),
      p('egressBytes'),
      p('storedBytes'),
    ],
  ),
);

const list = statement<DayRange & { organizationId: string }, DailyUsage>(
  'usage_list',
  (p) =>
    sql.raw(
      `select day::text as day, requests::float8 as requests, refusals::float8 as refusals, db_ms as "dbMs",
         egress_bytes::float8 as "egressBytes", jobs::float8 as jobs, core_seconds as "coreSeconds",
         stored_bytes::float8 as "storedBytes"
       from usage_daily where org_id = ? and day between ?::date and ?::date order by usage_daily.day`,
      [p('organizationId'), p('from'), p('to')],
    ),
  { readOnly: true },
);

/** What organizations use, by days. Decision 0058. */
export class KnexUsageLedger implements UsageLedger {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async add(writer: string, { number, counted }: UsageBatch): Promise<void> {
    await this.#executor.query(
      add({
        writer,
        batch: number,
        organizations: counted.map(({ organizationId }) => organizationId),
        days: counted.map(({ day }) => day),
        requests: counted.map(({ requests }) => requests),
        refusals: counted.map(({ refusals }) => refusals),
        dbMs: counted.map(({ dbMs }) => dbMs),
        egressBytes: counted.map(({ egressBytes }) => egressBytes),
        storedBytes: counted.map(({ storedBytes }) => storedBytes),
      }),
    );
  }

  async list(organizationId: OrganizationId, range: DayRange): Promise<readonly DailyUsage[]> {
    return this.#executor.query(list({ organizationId, ...range }));
  }
}
