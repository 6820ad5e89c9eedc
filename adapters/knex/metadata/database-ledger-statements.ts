import { ADOPTED } from '../../../application/ports/databases/provisioning-ledger.ts';
import {
  DATABASE_STATES,
  isHalfMade,
  statesBefore,
  type DatabaseState,
} from '../../../domain/databases/results-database.ts';
import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationStatus } from '../../../domain/organizations/organization.ts';
import { sql, statement } from '../statement.ts';
import { RECORD_COLUMNS, SPARE_COLUMNS, type DatabaseRow, type SpareRow } from './database-ledger-rows.ts';

/** A condition that holds in these states. `DATABASE_MOVES` in the domain says in which states a move may be made. */
const stateIn = (states: readonly DatabaseState[]): string =>
  `state in (${states.map((state) => `'${state}'`).join(', ')})`;

interface Key {
  readonly organizationId: string;
}

/** What a record was about when it was read. See `RecordedDatabase`. */
interface Recorded extends Key {
  readonly stamp: string | null;
  readonly generation: number;
}

/** A condition that holds while the organization has that database. Its parameters are the stamp and the generation. */
const IS_RECORDED = 'stamp is not distinct from ?::uuid and generation = ?::int';

export const find = statement<Key, DatabaseRow>('database_find', (p) =>
  sql('organization_databases').select(RECORD_COLUMNS).where('org_id', p('organizationId')),
);

export const findForUpdate = statement<Key, DatabaseRow>('database_find_for_update', (p) =>
  sql('organization_databases').select(RECORD_COLUMNS).where('org_id', p('organizationId')).forUpdate(),
);

export const findForAccess = statement<
  Key,
  Omit<DatabaseRow, 'org_id'> & { org_id: DatabaseRow['org_id']; status: OrganizationStatus }
>('database_find_for_access', (p) =>
  sql({ o: 'organizations' })
    .leftJoin({ d: 'organization_databases' }, 'd.org_id', 'o.org_id')
    .select('o.status', ...RECORD_COLUMNS.map((column) => `d.${column}`))
    .where('o.org_id', p('organizationId')),
);

// A record without a stamp has no database yet, or its database was retired: it takes the name that a new one gets today.
export const intend = statement<Key & { databaseName: string }>('database_intend', (p) =>
  sql.raw(
    `insert into organization_databases as known (org_id, database_name) values (?, ?)
     on conflict (org_id) do update set database_name = excluded.database_name where known.stamp is null`,
    [p('organizationId'), p('databaseName')],
  ),
);

export const bind = statement<Key & { stamp: string; serverId: string; databaseName: string }, DatabaseRow>(
  'database_bind',
  (p) =>
    sql('organization_databases')
      .where('org_id', p('organizationId'))
      .update({
        stamp: p('stamp'),
        server_id: p('serverId'),
        database_name: p('databaseName'),
        updated_at: sql.raw('now()'),
      })
      .returning(RECORD_COLUMNS),
);

/**
 * The common case in one round trip: no record yet, and one server without a limit. Takes a spare that stands ready
 * there, or else writes down the fresh one. Returns nothing when the case is another one, and then has changed nothing.
 * Never gives one spare to two organizations: a row that another transaction holds is skipped.
 */
export const claimOnly = statement<
  Key & {
    serverId: string;
    databaseName: string;
    templateHash: string;
    spareId: string;
    spareName: string;
    schemaVersion: number;
  },
  DatabaseRow & { spare_id: string; spare_name: string; spare_version: number; is_ready: boolean }
>('database_claim_only', (p) =>
  sql.raw(
    `with eligible as (
       select from organizations o, results_servers s
       where o.org_id = ? and o.pinned_server_id is null and o.pinned_labels = '{}'
         and s.server_id = ? and s.status = 'active' and s.max_databases is null
         and not exists (select from organization_databases where org_id = ?)
     ), taken as (
       update spare_databases set state = 'claimed', updated_at = now()
       where exists (table eligible) and spare_id = (
         select spare_id from spare_databases where state = 'ready' and template_hash = ?
         order by created_at limit 1 for update skip locked
       )
       returning spare_id, database_name, schema_version
     ), fresh as (
       insert into spare_databases (spare_id, server_id, database_name, template_hash, schema_version, state)
       select ?, ?, ?, ?, ?::int, 'building' where exists (table eligible) and not exists (table taken)
       returning spare_id, database_name, schema_version
     ), spare (spare_id, spare_name, spare_version, is_ready) as (
       select *, true from taken union all select *, false from fresh
     ), intent as (
       insert into organization_databases (org_id, server_id, database_name, stamp)
       select ?, ?, ?, spare_id from spare
       returning ${RECORD_COLUMNS.join(', ')}
     )
     select intent.*, spare.* from intent, spare`,
    [
      p('organizationId'),
      p('serverId'),
      p('organizationId'),
      p('templateHash'),
      p('spareId'),
      p('serverId'),
      p('spareName'),
      p('templateHash'),
      p('schemaVersion'),
      p('organizationId'),
      p('serverId'),
      p('databaseName'),
    ],
  ),
);

/**
 * Marks the database ready, deletes the spare's row and writes the audit entry, in one statement: all or nothing. With one
 * server it does not wait for the disk. A crash of the metadata server may undo it as a whole; the next access then finds
 * the stamped database and writes it again. With several servers it waits: were it undone, and the database's server away,
 * the next access would make an empty database elsewhere, and miss what was written. Decision 0022.
 */
export const complete = statement<Key & { stamp: string; schemaVersion: number; path: string }, DatabaseRow>(
  'database_complete',
  (p) =>
    sql.raw(
      `with done as (
         update organization_databases
         set state = 'ready', schema_version = ?, last_error = null, updated_at = now()
         where org_id = ? and stamp = ? and ${stateIn(DATABASE_STATES.filter(isHalfMade))}
         returning ${RECORD_COLUMNS.join(', ')}
       ), gone as (
         delete from spare_databases where spare_id = ? returning database_name, template_hash
       ), audited as (
         insert into audit_logs (org_id, action, entity_type, entity_id, details)
         select org_id, 'database.provisioned', 'database', database_name,
           jsonb_build_object('path', ?::text, 'generation', generation) || coalesce(
             (select jsonb_build_object('from', database_name) from gone where template_hash = '${ADOPTED}'), '{}')
         from done
       )
       select *, set_config('synchronous_commit',
         case when exists (select from results_servers offset 1) then current_setting('synchronous_commit') else 'off' end,
         true) from done`,
      [p('schemaVersion'), p('organizationId'), p('stamp'), p('stamp'), p('path')],
    ),
);

// There may be no record yet: an attempt can fail before its intent is recorded. A database that another process has made
// ready, or claimed, meanwhile stays as it is.
export const fail = statement<Key & { databaseName: string; stamp: string | null; reason: string }>(
  'database_fail',
  (p) =>
    sql.raw(
      `insert into organization_databases as known (org_id, database_name, state, last_error) values (?, ?, 'failed', ?)
     on conflict (org_id) do update set state = 'failed', last_error = excluded.last_error, updated_at = now()
     where known.${stateIn(statesBefore('failed'))} and known.stamp is not distinct from ?::uuid`,
      [p('organizationId'), p('databaseName'), p('reason'), p('stamp')],
    ),
);

/** What an organization's placement is chosen by. */
export const findPin = statement<
  Key,
  { readonly pinned_server_id: ServerId | null; readonly pinned_labels: Readonly<Record<string, string>> }
>('organization_find_pin', (p) =>
  sql('organizations').select('pinned_server_id', 'pinned_labels').where('org_id', p('organizationId')),
);

export const takeSpare = statement<{ templateHash: string }, SpareRow>('spare_take', (p) =>
  sql('spare_databases')
    .where(
      'spare_id',
      sql('spare_databases')
        .select('spare_id')
        .where({ state: 'ready', template_hash: p('templateHash') })
        .orderBy('created_at')
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    .update({ state: 'claimed', updated_at: sql.raw('now()') })
    .returning(SPARE_COLUMNS),
);

export const findSpare = statement<{ spareId: string | null }, SpareRow>('spare_find', (p) =>
  sql('spare_databases').select(SPARE_COLUMNS).where('spare_id', p('spareId')),
);

export const insertSpare = statement<{
  spareId: string;
  serverId: string;
  databaseName: string;
  templateHash: string;
  schemaVersion: number;
  state: string;
}>('spare_insert', (p) =>
  sql('spare_databases').insert({
    spare_id: p('spareId'),
    server_id: p('serverId'),
    database_name: p('databaseName'),
    template_hash: p('templateHash'),
    schema_version: p('schemaVersion'),
    state: p('state'),
  }),
);

// A spare that was made for the organization is left to be dropped. A database that an operator gave is never dropped.
export const releaseClaim = statement<{ spareId: string }>('spare_release_claim', (p) =>
  sql.raw(
    `with given as (
       delete from spare_databases where spare_id = ? and template_hash = '${ADOPTED}'
     )
     update spare_databases set state = 'retired', updated_at = now()
     where spare_id = ? and template_hash <> '${ADOPTED}'`,
    [p('spareId'), p('spareId')],
  ),
);

export const forgetSpare = statement<{ spareId: string }>('spare_forget', (p) =>
  sql('spare_databases').where('spare_id', p('spareId')).delete(),
);

export const rebaseSpare = statement<{ spareId: string; templateHash: string; schemaVersion: number }>(
  'spare_rebase',
  (p) =>
    sql('spare_databases')
      .where('spare_id', p('spareId'))
      .update({ template_hash: p('templateHash'), schema_version: p('schemaVersion') }),
);

export const noteError = statement<Recorded & { reason: string | null }>('database_note_error', (p) =>
  sql('organization_databases')
    .where('org_id', p('organizationId'))
    .whereRaw(IS_RECORDED, [p('stamp'), p('generation')])
    .whereRaw('last_error is distinct from ?::text', [p('reason')])
    .update({ last_error: p('reason'), updated_at: sql.raw('now()') }),
);

export const repeatAdoption = statement<Key & { schemaVersion: number }, DatabaseRow>(
  'database_repeat_adoption',
  (p) =>
    sql('organization_databases')
      .where('org_id', p('organizationId'))
      .whereRaw(stateIn(statesBefore('provisioning')))
      .update({
        state: 'provisioning',
        schema_version: p('schemaVersion'),
        last_error: null,
        updated_at: sql.raw('now()'),
      })
      .returning(RECORD_COLUMNS),
);

// The generation rises with every further database that takes the organization's name.
export const adopt = statement<
  Key & { serverId: string; databaseName: string; stamp: string; schemaVersion: number },
  DatabaseRow
>('database_adopt', (p) =>
  sql.raw(
    `insert into organization_databases as old (org_id, server_id, database_name, stamp, schema_version)
     values (?, ?, ?, ?, ?)
     on conflict (org_id) do update set
       server_id = excluded.server_id, database_name = excluded.database_name, stamp = excluded.stamp, schema_version = excluded.schema_version, generation = old.generation + 1,
       state = 'provisioning', last_error = null, updated_at = now()
     where old.${stateIn(statesBefore('provisioning'))}
     returning ${RECORD_COLUMNS.join(', ')}`,
    [p('organizationId'), p('serverId'), p('databaseName'), p('stamp'), p('schemaVersion')],
  ),
);

export const beginRetirement = statement<Recorded, Pick<DatabaseRow, 'org_id'>>(
  'database_begin_retirement',
  (p) =>
    sql('organization_databases')
      .where('org_id', p('organizationId'))
      .whereRaw(IS_RECORDED, [p('stamp'), p('generation')])
      .whereRaw(stateIn(statesBefore('retiring')))
      .update({ state: 'retiring', updated_at: sql.raw('now()') })
      .returning('org_id'),
);

export const completeRetirement = statement<
  Recorded & { renamedTo: string | null },
  Pick<DatabaseRow, 'org_id'>
>('database_complete_retirement', (p) =>
  sql.raw(
    `with retired as (
         update organization_databases
         set state = 'provisioning', stamp = null, schema_version = null, last_error = null,
           generation = generation + 1, updated_at = now()
         where org_id = ? and ${IS_RECORDED} and state = 'retiring' returning org_id, database_name
       )
       insert into audit_logs (org_id, action, entity_type, entity_id, details)
       select org_id, 'database.retired', 'database', database_name, jsonb_build_object('renamed_to', ?::text)
       from retired returning org_id`,
    [p('organizationId'), p('stamp'), p('generation'), p('renamedTo')],
  ),
);

/**
 * Every process asks for this every few seconds, so it counts only the few databases that are not ready. A trigger counts
 * those of each server that have a stamp, and every database that is ready has one.
 */
export const countByState = statement<
  object,
  { server_id: ServerId; state: DatabaseRow['state']; count: string }
>(
  'database_count_by_state',
  () =>
    sql.raw(
      `with others as (
         select server_id, state, count(*) as count, count(stamp) as stamped from organization_databases
         where ${stateIn(DATABASE_STATES.filter((state) => state !== 'ready'))} group by server_id, state
       ), ready as (
         select s.server_id, s.databases - coalesce(sum(others.stamped), 0) as count
         from results_servers s left join others using (server_id) group by s.server_id
       )
       select server_id, state, count from others
       union all select server_id, 'ready', count from ready where count > 0`,
    ),
  { readOnly: true },
);

export const findOnServer = statement<{ serverId: string; organizationIds: readonly string[] }, DatabaseRow>(
  'database_find_on_server',
  (p) =>
    sql('organization_databases')
      .select(RECORD_COLUMNS)
      .where('server_id', p('serverId'))
      .whereRaw('org_id = any(?::text[])', [p('organizationIds')]),
);
