import { sql, statement } from '../statement.ts';
import { UNFINISHED, type ClaimRow, type RunRow } from './fleet-ledger-rows.ts';

interface OfRunner {
  readonly runId: number;
  readonly runner: string;
}

// A row that another runner is taking is skipped, so two runners never get the same one.
export const claim = statement<
  OfRunner & {
    /** Null: of none of `otherThan`. */
    serverId: string | null;
    otherThan: readonly string[];
    count: number;
    leaseMs: number;
  },
  ClaimRow
>('fleet_claim', (p) =>
  sql.raw(
    `with next as (
       select i.org_id from fleet_items i join fleet_runs r on r.run_id = i.run_id
         left join organization_databases o on o.org_id = i.org_id
       where i.run_id = ?::int and r.state = 'running'
         and (i.wave <= r.wave or (i.urgent and r.wave > 0))
         and i.${UNFINISHED}
         and case when ?::text is null then o.server_id is null or o.server_id <> all(?::text[]) else o.server_id = ? end
         and case i.state when 'running' then i.lease_until < now() else i.not_before <= now() end
       order by i.urgent desc, i.wave, i.org_id limit ?::int
       for update of i skip locked
     )
     update fleet_items i
     set state = 'running', attempts = attempts + 1, runner = ?,
       lease_until = now() + ?::int * interval '1 ms', updated_at = now()
     from next left join organization_databases d on d.org_id = next.org_id
     where i.run_id = ?::int and i.org_id = next.org_id
     returning i.org_id, d.server_id, d.database_name, d.state, d.stamp, d.generation, i.to_version, i.attempts`,
    [
      p('runId'),
      p('serverId'),
      p('otherThan'),
      p('serverId'),
      p('count'),
      p('runner'),
      p('leaseMs'),
      p('runId'),
    ],
  ),
);

// What the runner is just reporting or giving back is skipped: two statements that wait for rows of each other's would
// end in a deadlock.
export const renew = statement<OfRunner & { leaseMs: number }>('fleet_renew', (p) =>
  sql.raw(
    `with mine as (
       select run_id, org_id from fleet_items where run_id = ?::int and runner = ? and state = 'running'
       for update skip locked
     )
     update fleet_items i set lease_until = now() + ?::int * interval '1 ms'
     from mine where i.run_id = mine.run_id and i.org_id = mine.org_id`,
    [p('runId'), p('runner'), p('leaseMs')],
  ),
);

export const release = statement<OfRunner & { organizationIds: readonly string[] }>('fleet_release', (p) =>
  sql.raw(
    `update fleet_items
     set state = 'pending', attempts = attempts - 1, runner = null, lease_until = null, updated_at = now()
     where run_id = ?::int and runner = ? and state = 'running' and org_id = any(?::text[])`,
    [p('runId'), p('runner'), p('organizationIds')],
  ),
);

// Only an item that is still the runner's updates the record: a runner that lost it knows less than its successor.
export const report = statement<
  OfRunner & {
    organizationIds: readonly string[];
    stamps: readonly (string | null)[];
    states: readonly string[];
    schemaVersions: readonly (number | null)[];
    errors: readonly (string | null)[];
    durationsMs: readonly number[];
    delaysMs: readonly number[];
    areAttempts: readonly boolean[];
  },
  Pick<RunRow, 'state'>
>('fleet_report', (p) =>
  sql.raw(
    `with reported as (
       select * from unnest(?::text[], ?::uuid[], ?::text[], ?::int[], ?::text[], ?::int[], ?::int[], ?::boolean[])
         as r (org_id, stamp, state, schema_version, error, duration_ms, delay_ms, is_attempt)
     ), items as (
       update fleet_items i
       set state = r.state, attempts = i.attempts - (not r.is_attempt)::int, error = r.error, duration_ms = r.duration_ms, runner = null, lease_until = null,
         not_before = now() + r.delay_ms * interval '1 ms', updated_at = now()
       from reported r
       where i.run_id = ?::int and i.runner = ? and i.state = 'running' and i.org_id = r.org_id
       returning r.*
     ), databases as (
       update organization_databases d
       set schema_version = coalesce(i.schema_version, d.schema_version),
         last_error = case i.state when 'failed' then i.error when 'done' then null else d.last_error end,
         migration_wanted_at = case i.state when 'done' then null else d.migration_wanted_at end,
         updated_at = now()
       from items i where d.org_id = i.org_id and d.stamp is not distinct from i.stamp
     )
     select state from fleet_runs where run_id = ?::int`,
    [
      p('organizationIds'),
      p('stamps'),
      p('states'),
      p('schemaVersions'),
      p('errors'),
      p('durationsMs'),
      p('delaysMs'),
      p('areAttempts'),
      p('runId'),
      p('runner'),
      p('runId'),
    ],
  ),
);
