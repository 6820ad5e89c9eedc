import { OrganizationAlreadyExistsError, OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { OrganizationRepository } from '../../../domain/organizations/organization-repository.ts';
import type {
  Organization,
  OrganizationSettings,
  OrganizationStatus,
} from '../../../domain/organizations/organization.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { FOREIGN_KEY_VIOLATION, isViolation, UNIQUE_VIOLATION } from '../postgres-error.ts';
import { dynamicQuery, sql, statement, type SqlExecutor } from '../statement.ts';

interface OrganizationRow {
  /** Checked by `parseOrganizationId` before it was written. */
  readonly org_id: OrganizationId;
  readonly name: string;
  readonly status: OrganizationStatus;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS = ['org_id', 'name', 'status', 'created_at', 'updated_at'] as const;

const insert = statement<{ id: string; name: string }, OrganizationRow>('organization_insert', (p) =>
  sql('organizations')
    .insert({ org_id: p('id'), name: p('name') })
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

const findSettings = statement<{ id: string }, { settings: OrganizationSettings | null }>(
  'organization_find_settings',
  (p) =>
    sql('organizations')
      .leftJoin('settings', 'settings.org_id', 'organizations.org_id')
      .select('settings.settings')
      .where('organizations.org_id', p('id')),
);

const replaceSettings = statement<{ id: string; settings: string }>('organization_replace_settings', (p) =>
  sql('settings')
    .insert({ org_id: p('id'), settings: p('settings') })
    .onConflict('org_id')
    .merge({ settings: sql.raw('excluded.settings'), updated_at: sql.raw('now()') }),
);

const toOrganization = (row: OrganizationRow): Organization => ({
  id: row.org_id,
  name: row.name,
  status: row.status,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export class KnexOrganizationRepository implements OrganizationRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async insert({ id, name }: { id: OrganizationId; name: string }): Promise<Organization> {
    try {
      const [row] = await this.#executor.query(insert({ id, name }));
      if (row === undefined) throw new Error('an insert returned no row');
      return toOrganization(row);
    } catch (error) {
      if (isViolation(error, UNIQUE_VIOLATION, 'organizations_pkey'))
        throw new OrganizationAlreadyExistsError(id);
      throw error;
    }
  }

  async find(id: OrganizationId): Promise<Organization | null> {
    const [row] = await this.#executor.query(find({ id }));
    return row === undefined ? null : toOrganization(row);
  }

  async list({ limit, after }: PageRequest<string>): Promise<Page<Organization, string>> {
    const query = sql('organizations')
      .select(COLUMNS)
      .orderBy('org_id')
      .limit(limit + 1);
    if (after !== null) query.where('org_id', '>', after);
    const rows = await this.#executor.query(dynamicQuery<OrganizationRow>(query));
    return toPage(rows.map(toOrganization), limit, ({ id }) => id);
  }

  async rename(id: OrganizationId, name: string): Promise<Organization | null> {
    const [row] = await this.#executor.query(rename({ id, name }));
    return row === undefined ? null : toOrganization(row);
  }

  async findSettings(id: OrganizationId): Promise<OrganizationSettings | null> {
    const [row] = await this.#executor.query(findSettings({ id }));
    return row === undefined ? null : (row.settings ?? {});
  }

  async replaceSettings(id: OrganizationId, settings: OrganizationSettings): Promise<void> {
    try {
      await this.#executor.query(replaceSettings({ id, settings: JSON.stringify(settings) }));
    } catch (error) {
      if (isViolation(error, FOREIGN_KEY_VIOLATION, 'settings_org_id_fkey'))
        throw new OrganizationNotFoundError();
      throw error;
    }
  }
}
