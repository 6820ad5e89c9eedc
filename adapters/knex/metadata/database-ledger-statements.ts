import type { OrganizationStatus } from '../../../domain/organizations/organization.ts';
import { sql, statement } from '../statement.ts';
import { RECORD_COLUMNS, SPARE_COLUMNS, type DatabaseRow, type SpareRow } from './database-ledger-rows.ts';

interface Key {
  readonly organizationId: string;
}

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

export const intend = statement<Key & { databaseName: string }>('database_intend', (p) =>
  sql('organization_databases')
    .insert({ org_id: p('organizationId'), database_name: p('databaseName') })
    .onConflict('org_id')
    .ignore(),
);

export const bind = statement<Key & { stamp: string }, DatabaseRow>('database_bind', (p) =>
  sql('organization_databases')
    .where('org_id', p('organizationId'))
    .update({ stamp: p('stamp'), updated_at: sql.raw('now()') })
    .returning(RECORD_COLUMNS),
);

export const complete = statement<Key & { stamp: string; schemaVersion: number }, DatabaseRow>(
  'database_complete',
  (p) =>
    sql('organization_databases')
      .where({ org_id: p('organizationId'), stamp: p('stamp') })
      .update({
        state: 'ready',
        schema_version: p('schemaVersion'),
        last_error: null,
        updated_at: sql.raw('now()'),
      })
      .returning(RECORD_COLUMNS),
);

// A database that another process brought to ready in the meantime stays ready.
export const fail = statement<Key & { reason: string }>('database_fail', (p) =>
  sql('organization_databases')
    .where('org_id', p('organizationId'))
    .whereIn('state', ['provisioning', 'failed'])
    .update({ state: 'failed', last_error: p('reason'), updated_at: sql.raw('now()') }),
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

export const insertSpare = statement<
  { spareId: string; databaseName: string; templateHash: string; schemaVersion: number; state: string },
  never
>('spare_insert', (p) =>
  sql('spare_databases').insert({
    spare_id: p('spareId'),
    database_name: p('databaseName'),
    template_hash: p('templateHash'),
    schema_version: p('schemaVersion'),
    state: p('state'),
  }),
);

export const forgetSpare = statement<{ spareId: string }>('spare_forget', (p) =>
  sql('spare_databases').where('spare_id', p('spareId')).delete(),
);
