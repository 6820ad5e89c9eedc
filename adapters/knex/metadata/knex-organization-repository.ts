import type { Knex } from 'knex';
import type { DatabaseState } from '../../../domain/databases/results-database.ts';
import { ServerNotFoundError } from '../../../domain/databases/errors.ts';
import {
  ANYWHERE,
  type PlacementPin,
  type ServerId,
  type ServerLabels,
} from '../../../domain/databases/server.ts';
import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import { OrganizationAlreadyExistsError } from '../../../domain/organizations/errors.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { POLICY_SETTINGS } from '../../../domain/organizations/organization-policy.ts';
import type {
  ListedOrganization,
  OrganizationControls,
  OrganizationFilter,
  OrganizationRepository,
} from '../../../domain/organizations/organization-repository.ts';
import type {
  Organization,
  OrganizationSettings,
  OrganizationStatus,
  VersionedSettings,
} from '../../../domain/organizations/organization.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { beginsWith } from '../begins-with.ts';
import { FOREIGN_KEY_VIOLATION, isViolation, UNIQUE_VIOLATION } from '../postgres-error.ts';
import { dynamicQuery, sql, statement, type SqlExecutor } from '../statement.ts';

interface OrganizationRow {
  /** Checked by `parseOrganizationId` before it was written. */
  readonly org_id: OrganizationId;
  readonly name: string;
  readonly status: OrganizationStatus;
  readonly created_at: Date;
  readonly pinned_server_id: ServerId | null;
  readonly pinned_labels: ServerLabels;
  readonly updated_at: Date;
}

const COLUMNS = [
  'org_id',
  'name',
  'status',
  'pinned_server_id',
  'pinned_labels',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof OrganizationRow)[];

const insert = statement<
  { id: string; name: string; pinnedServerId: string | null; pinnedLabels: string },
  OrganizationRow
>('organization_insert', (p) =>
  sql('organizations')
    .insert({
      org_id: p('id'),
      name: p('name'),
      pinned_server_id: p('pinnedServerId'),
      pinned_labels: p('pinnedLabels'),
    })
    .returning(COLUMNS),
);

const find = statement<{ id: string }, OrganizationRow>('organization_find', (p) =>
  sql('organizations').select(COLUMNS).where('org_id', p('id')),
);

const rename = statement<{ id: string; name: string }, OrganizationRow>('organization_rename', (p) =>
  sql('organizations')
    .where('org_id', p('id'))
    .update({ name: p('name'), updated_at: sql.raw('now()') })
    .returning(COLUMNS),
);

const pin = statement<
  { id: string; setsServer: boolean; serverId: string | null; labels: string | null },
  OrganizationRow
>('organization_pin', (p) =>
  sql.raw(
    `update organizations set pinned_server_id = case when ?::bool then ?::text else pinned_server_id end,
       pinned_labels = coalesce(?::jsonb, pinned_labels), updated_at = now()
     where org_id = ? returning ${COLUMNS.join(', ')}`,
    [p('setsServer'), p('serverId'), p('labels'), p('id')],
  ),
);

interface ControlsRow {
  readonly org_id: OrganizationId;
  readonly status: OrganizationStatus;
  readonly settings: OrganizationSettings;
}

interface SettingsRow {
  readonly settings: OrganizationSettings | null;
  /** A bigint, which the driver gives as text. */
  readonly version: string | null;
}

const findSettings = statement<{ id: string }, SettingsRow>('organization_find_settings', (p) =>
  sql('organizations')
    .leftJoin('settings', 'settings.org_id', 'organizations.org_id')
    .select('settings.settings', 'settings.version')
    .where('organizations.org_id', p('id')),
);

const lock = statement<{ id: string }>('organization_lock', (p) =>
  sql('organizations').select(sql.raw('1')).where('org_id', p('id')).forNoKeyUpdate(),
);

const replaceSettings = statement<{ id: string; settings: string }, SettingsRow>(
  'organization_replace_settings',
  (p) =>
    sql('settings')
      .insert({ org_id: p('id'), settings: p('settings') })
      .onConflict('org_id')
      .merge({
        settings: sql.raw('excluded.settings'),
        version: sql.raw('settings.version + 1'),
        updated_at: sql.raw('now()'),
      })
      .returning(['settings', 'version']),
);

const moveStatus = statement<{ id: string; from: string; to: string }, { org_id: string }>(
  'organization_move_status',
  (p) =>
    sql('organizations')
      .where({ org_id: p('id'), status: p('from') })
      .update({ status: p('to'), updated_at: sql.raw('now()') })
      .returning('org_id'),
);

const listControls = statement<{ ids: readonly string[] | null; keys: readonly string[] }, ControlsRow>(
  'organization_list_controls',
  (p) =>
    // Each organization may keep a MiB of settings that mean nothing to the service. Nothing is read of organizations that
    // are neither suspended nor have settings.
    sql.raw(
      `with told as (
         select org_id from organizations where status = 'suspended' and (?::text[] is null or org_id = any(?))
         union
         select org_id from settings where jsonb_exists_any(settings, ?) and (?::text[] is null or org_id = any(?))
       )
       select o.org_id, o.status, coalesce(acted_on.settings, '{}') as settings
       from told join organizations o using (org_id) left join settings s using (org_id)
       left join lateral (
         select jsonb_object_agg(key, s.settings -> key) as settings
         from unnest(?::text[]) as key where jsonb_exists(s.settings, key)
       ) acted_on on true`,
      [p('ids'), p('ids'), p('keys'), p('ids'), p('ids'), p('keys')],
    ),
);

const toVersioned = ({ settings, version }: SettingsRow): VersionedSettings => ({
  settings: settings ?? {},
  version: Number(version ?? 0),
});

interface ListedRow extends OrganizationRow {
  readonly server_id: ServerId | null;
  readonly state: DatabaseState | null;
  readonly schema_version: number | null;
  readonly last_error: string | null;
}

/** The columns of each order, and its direction. There is an index for each. */
const ORDERS: Readonly<
  Record<
    OrganizationFilter['order'],
    { readonly columns: readonly string[]; readonly direction: 'asc' | 'desc' }
  >
> = {
  id: { columns: ['org_id'], direction: 'asc' },
  name: { columns: ['name collate "C"', 'org_id'], direction: 'asc' },
  newest: { columns: ['created_at', 'org_id'], direction: 'desc' },
};

const listOrganizations = (
  { prefix, status, serverId, state, order }: OrganizationFilter,
  after: string | null,
): Knex.QueryBuilder => {
  const { columns, direction } = ORDERS[order];
  const query = sql({ o: 'organizations' })
    .leftJoin({ d: 'organization_databases' }, 'd.org_id', 'o.org_id')
    .select(
      ...COLUMNS.map((column) => `o.${column}`),
      'd.server_id',
      'd.state',
      'd.schema_version',
      'd.last_error',
    )
    .orderByRaw(columns.map((column) => `o.${column} ${direction}`).join(', '));
  if (prefix !== null) {
    const pattern = beginsWith(prefix);
    query.whereRaw('(o.org_id like ? or lower(o.name) like lower(?))', [pattern, pattern]);
  }
  if (status !== null) query.where('o.status', status);
  if (serverId !== null) query.where('d.server_id', serverId);
  if (state === 'none') query.whereNull('d.org_id');
  else if (state !== null) query.where('d.state', state);
  const of = (table: string): string => columns.map((column) => `${table}.${column}`).join(', ');
  if (after !== null)
    query.whereRaw(
      `(${of('o')}) ${direction === 'asc' ? '>' : '<'} (select ${of('a')} from organizations a where a.org_id = ?)`,
      [after],
    );
  return query;
};

const toListed = (row: ListedRow): ListedOrganization => ({
  ...toOrganization(row),
  database:
    row.server_id === null || row.state === null
      ? null
      : {
          serverId: row.server_id,
          state: row.state,
          schemaVersion: row.schema_version,
          lastError: row.last_error,
        },
});

const toOrganization = (row: OrganizationRow): Organization => ({
  id: row.org_id,
  name: row.name,
  status: row.status,
  placement: { serverId: row.pinned_server_id, labels: row.pinned_labels },
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const asUnknownServer = (error: unknown): unknown =>
  isViolation(error, FOREIGN_KEY_VIOLATION, 'organizations_pinned_server_id_fkey')
    ? new ServerNotFoundError()
    : error;

export class KnexOrganizationRepository implements OrganizationRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  insert: OrganizationRepository['insert'] = async ({ id, name, placement = ANYWHERE }) => {
    try {
      const [row] = await this.#executor.query(
        insert({
          id,
          name,
          pinnedServerId: placement.serverId,
          pinnedLabels: JSON.stringify(placement.labels),
        }),
      );
      if (row === undefined) throw new Error('an insert returned no row');
      return toOrganization(row);
    } catch (error) {
      if (isViolation(error, UNIQUE_VIOLATION, 'organizations_pkey'))
        throw new OrganizationAlreadyExistsError(id);
      throw asUnknownServer(error);
    }
  };

  async find(id: OrganizationId): Promise<Organization | null> {
    const [row] = await this.#executor.query(find({ id }));
    return row === undefined ? null : toOrganization(row);
  }

  async list(
    filter: OrganizationFilter,
    { limit, after }: PageRequest<string>,
  ): Promise<Page<ListedOrganization, string>> {
    const query = listOrganizations(filter, after).limit(limit + 1);
    const rows = await this.#executor.query(dynamicQuery<ListedRow>(query));
    return toPage(rows.map(toListed), limit, ({ id }) => id);
  }

  async rename(id: OrganizationId, name: string): Promise<Organization | null> {
    const [row] = await this.#executor.query(rename({ id, name }));
    return row === undefined ? null : toOrganization(row);
  }

  async pin(id: OrganizationId, { serverId, labels }: Partial<PlacementPin>): Promise<Organization | null> {
    try {
      const [row] = await this.#executor.query(
        pin({
          id,
          setsServer: serverId !== undefined,
          serverId: serverId ?? null,
          labels: labels === undefined ? null : JSON.stringify(labels),
        }),
      );
      return row === undefined ? null : toOrganization(row);
    } catch (error) {
      throw asUnknownServer(error);
    }
  }

  async findSettings(id: OrganizationId): Promise<VersionedSettings | null> {
    const [row] = await this.#executor.query(findSettings({ id }));
    return row === undefined ? null : toVersioned(row);
  }

  async findSettingsForUpdate(id: OrganizationId): Promise<VersionedSettings | null> {
    // The lock is a statement of its own: one that waits for a lock sees other tables as they were before the wait.
    await this.#executor.query(lock({ id }));
    return this.findSettings(id);
  }

  async replaceSettings(id: OrganizationId, settings: OrganizationSettings): Promise<VersionedSettings> {
    try {
      const [row] = await this.#executor.query(replaceSettings({ id, settings: JSON.stringify(settings) }));
      if (row === undefined) throw new Error('an upsert returned no row');
      return toVersioned(row);
    } catch (error) {
      if (isViolation(error, FOREIGN_KEY_VIOLATION, 'settings_org_id_fkey'))
        throw new OrganizationNotFoundError();
      throw error;
    }
  }

  async moveStatus(id: OrganizationId, from: OrganizationStatus, to: OrganizationStatus): Promise<boolean> {
    return (await this.#executor.query(moveStatus({ id, from, to }))).length > 0;
  }

  async listControls(ids: readonly OrganizationId[] | null): Promise<readonly OrganizationControls[]> {
    const rows = await this.#executor.query(listControls({ ids, keys: Object.keys(POLICY_SETTINGS) }));
    return rows.map(({ org_id: organizationId, status, settings }) => ({ organizationId, status, settings }));
  }
}
