import { sql, statement } from '../statement.ts';
import {
  RUN_COLUMNS,
  UNFINISHED,
  type CandidateRow,
  type ItemRow,
  type RunRow,
  type SchemaCountRow,
} from './fleet-ledger-rows.ts';

interface OfRun {
  readonly runId: number;
}

export const listCandidates = statement<
  { after: string | null; behind: number | null; limit: number },
  CandidateRow
>(
  'fleet_list_candidates',
  (p) =>
    sql.raw(
      `select org_id, server_id, state, schema_version, migration_wanted_at is not null as urgent
       from organization_databases
       where org_id > coalesce(?, '') and (?::int is null or (state = 'ready' and schema_version < ?::int))
       order by org_id limit ?`,
      [p('after'), p('behind'), p('behind'), p('limit')],
    ),
  { readOnly: true },
);

export const countSchemas = statement<object, SchemaCountRow>('fleet_count_schemas', () =>
  sql('organization_databases')
    .select('schema_version')
    .where('state', 'ready')
    .count({ count: '*' })
    .groupBy('schema_version'),
);

export const endAbandonedRun = statement<OfRun & { reason: string }>('fleet_end_abandoned_run', (p) =>
  sql.raw(
    `update fleet_runs r
     set state = 'finished', reason = ?, finished_at = now(), updated_at = now()
     where run_id = ? and state <> 'finished' and not exists (
       select from fleet_items i where i.run_id = r.run_id and i.state = 'running' and i.lease_until > now()
     )`,
    [p('reason'), p('runId')],
  ),
);

// Returns no row, and inserts none, when another run is unfinished.
export const insertRun = statement<
  {
    kind: string;
    targetVersion: number | null;
    wholeFleet: boolean;
    errorBudget: number;
    serviceSchemaVersion: number | null;
  },
  RunRow
>('fleet_insert_run', (p) =>
  sql('fleet_runs')
    .insert({
      kind: p('kind'),
      target_version: p('targetVersion'),
      whole_fleet: p('wholeFleet'),
      error_budget: p('errorBudget'),
      service_schema_version: p('serviceSchemaVersion'),
    })
    .onConflict()
    .ignore()
    .returning(RUN_COLUMNS),
);

export const insertItems = statement<
  OfRun & {
    organizationIds: readonly string[];
    waves: readonly number[];
    urgent: readonly boolean[];
    fromVersions: readonly number[];
    toVersions: readonly number[];
  },
  Pick<ItemRow, 'org_id'>
>('fleet_insert_items', (p) =>
  sql.raw(
    `insert into fleet_items (run_id, org_id, wave, urgent, from_version, to_version)
     select ?::int, * from unnest(?::text[], ?::int[], ?::boolean[], ?::int[], ?::int[])
     on conflict do nothing returning org_id`,
    [p('runId'), p('organizationIds'), p('waves'), p('urgent'), p('fromVersions'), p('toVersions')],
  ),
);

export const findRun = statement<OfRun, RunRow>('fleet_find_run', (p) =>
  sql('fleet_runs').select(RUN_COLUMNS).where('run_id', p('runId')),
);

export const latestRun = statement<object, RunRow>('fleet_latest_run', () =>
  sql('fleet_runs').select(RUN_COLUMNS).orderByRaw('finished_at desc nulls first, run_id desc').limit(1),
);

export const latestMigration = statement<object, RunRow>('fleet_latest_migration', () =>
  sql('fleet_runs').select(RUN_COLUMNS).where({ kind: 'migrate' }).orderBy('run_id', 'desc').limit(1),
);

export const countItems = statement<OfRun, { state: ItemRow['state']; count: string; last_wave: number }>(
  'fleet_count_items',
  (p) =>
    sql('fleet_items')
      .select('state')
      .count({ count: '*' })
      .max({ last_wave: 'wave' })
      .where('run_id', p('runId'))
      .groupBy('state'),
);

/** The run's row is locked while failures are counted, so that two reports do not both find the error budget unspent. */
export const lockRun = statement<OfRun, RunRow & { accepted_failures: number }>('fleet_lock_run', (p) =>
  sql('fleet_runs')
    .select(...RUN_COLUMNS, 'accepted_failures')
    .where('run_id', p('runId'))
    .forUpdate(),
);

export const countFailures = statement<OfRun, { failures: string; canaries: string }>(
  'fleet_count_failures',
  (p) =>
    sql.raw(
      `select count(*) as failures, count(*) filter (where wave = 0) as canaries
       from fleet_items where run_id = ?::int and state = 'failed'`,
      [p('runId')],
    ),
);

export const halt = statement<OfRun & { reason: string }>('fleet_halt', (p) =>
  sql('fleet_runs')
    .where({ run_id: p('runId'), state: 'running' })
    .update({ state: 'halted', reason: p('reason'), updated_at: sql.raw('now()') }),
);

// Deferred items hold up no later wave, unless they are canaries.
export const advance = statement<OfRun, { wave: number }>('fleet_advance', (p) =>
  sql.raw(
    `update fleet_runs r
     set wave = next.wave, updated_at = now()
     from (
       select min(i.wave) as wave from fleet_items i join fleet_runs r on r.run_id = i.run_id
       where i.run_id = ?::int and i.wave > r.wave and i.${UNFINISHED}
     ) next
     where r.run_id = ?::int and r.state = 'running' and next.wave > r.wave and not exists (
       select from fleet_items i
       where i.run_id = r.run_id and i.wave <= r.wave
         and (i.state in ('pending', 'running') or (i.wave = 0 and i.state = 'deferred'))
     )
     returning r.wave`,
    [p('runId'), p('runId')],
  ),
);

export const finish = statement<OfRun, { run_id: number }>('fleet_finish', (p) =>
  sql.raw(
    `update fleet_runs r set state = 'finished', finished_at = now(), updated_at = now()
     where run_id = ?::int and state = 'running'
       and not exists (select from fleet_items i where i.run_id = r.run_id and i.${UNFINISHED})
     returning run_id`,
    [p('runId')],
  ),
);

export const handToService = statement<OfRun & { schemaVersion: number }>('fleet_hand_to_service', (p) =>
  sql('fleet_runs')
    .where('run_id', p('runId'))
    .update({ service_schema_version: p('schemaVersion') }),
);

export const pause = statement<OfRun, { run_id: number }>('fleet_pause', (p) =>
  sql('fleet_runs')
    .where({ run_id: p('runId'), state: 'running' })
    .update({ state: 'paused', reason: 'paused by an operator', updated_at: sql.raw('now()') })
    .returning('run_id'),
);

export const resume = statement<OfRun & { setAside: string }, { run_id: number }>('fleet_resume', (p) =>
  sql.raw(
    `update fleet_runs r
     set state = 'running', reason = null, finished_at = null, updated_at = now(), accepted_failures = (
       select count(*) from fleet_items i where i.run_id = r.run_id and i.state = 'failed'
     )
     where run_id = ?::int and (state in ('paused', 'halted') or reason = ?) returning run_id`,
    [p('runId'), p('setAside')],
  ),
);

export const retryItems = statement<
  OfRun & { organizationIds: readonly string[] | null },
  { org_id: string }
>('fleet_retry_items', (p) =>
  sql.raw(
    `update fleet_items
       set state = 'pending', attempts = 0, error = null, not_before = now(), updated_at = now()
       where run_id = ?::int and state = 'failed' and (?::text[] is null or org_id = any(?::text[]))
       returning org_id`,
    [p('runId'), p('organizationIds'), p('organizationIds')],
  ),
);

// Only the latest run is reopened: no unfinished run follows it.
export const reopen = statement<OfRun>('fleet_reopen', (p) =>
  sql.raw(
    `update fleet_runs r
     set state = 'running', reason = null, finished_at = null, updated_at = now(), accepted_failures = (
       select count(*) from fleet_items i where i.run_id = r.run_id and i.state = 'failed'
     )
     where run_id = ?::int`,
    [p('runId')],
  ),
);

export const listMoved = statement<
  { oldest: number; newest: number; sinceMs: number; known: readonly string[] },
  { org_id: ItemRow['org_id']; schema_version: number }
>('fleet_list_moved', (p) =>
  sql.raw(
    // Two searches, each along its index: as one condition, the server may read all databases instead.
    `select org_id, schema_version from organization_databases
     where state = 'ready' and org_id = any(?::text[])
     union
     select org_id, schema_version from organization_databases
     where state = 'ready' and updated_at > now() - ?::int * interval '1 ms'
       and schema_version not between ?::int and ?::int`,
    [p('known'), p('sinceMs'), p('oldest'), p('newest')],
  ),
);

export const want = statement<{ organizationId: string }>('fleet_want', (p) =>
  sql.raw(
    `with wanted as (
       update organization_databases set migration_wanted_at = now()
       where org_id = ? and migration_wanted_at is null returning org_id
     )
     update fleet_items i set urgent = true
     from fleet_runs r
     where r.run_id = i.run_id and r.state <> 'finished' and i.org_id = ? and not i.urgent
       and i.${UNFINISHED}`,
    [p('organizationId'), p('organizationId')],
  ),
);
