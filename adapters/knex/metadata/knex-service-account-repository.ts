import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { OrganizationRole } from '../../../domain/identity/role.ts';
import {
  FLEET_ROLES,
  type AccountOwner,
  type KeyGrant,
  type ServiceAccount,
  type ServiceAccountKey,
  type ServiceAccountRepository,
} from '../../../domain/identity/service-account-repository.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { FOREIGN_KEY_VIOLATION, isViolation } from '../postgres-error.ts';
import { dynamicQuery, sql, statement, type SqlExecutor, type SqlQuery } from '../statement.ts';

interface AccountRow {
  readonly user_id: string;
  readonly name: string;
  readonly is_fleet: boolean;
  /** Null: not asked for an organization. */
  readonly roles: readonly OrganizationRole[] | null;
  readonly created_at: Date;
}

interface KeyRow {
  readonly key_id: string;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
}

/** What `find` and `list` read from; of an organization, or (null) of the platform. */
const accountsOf = (owner: string | null) => {
  const accounts = sql('service_accounts as s').select(
    's.user_id',
    's.name',
    's.created_at',
    sql.raw('s.org_id is null as is_fleet'),
  );
  return owner === null
    ? accounts.select(sql.raw('null as roles')).whereNull('s.org_id')
    : accounts.select('m.roles').join('memberships as m', 'm.user_id', 's.user_id').where('m.org_id', owner);
};

const insert = statement<
  { owner: string | null; name: string; roles: readonly string[] },
  { user_id: string }
>('service_account_insert', (p) =>
  sql.raw(
    `with id as materialized (select gen_random_uuid() as user_id),
     named as (
       insert into users (user_id, email, canonical_email)
       select user_id, 'service-account:' || user_id, 'service-account:' || user_id from id returning user_id
     ), account as (
       insert into service_accounts (user_id, org_id, name) select user_id, ?::text, ? from named
     ), member as (
       insert into memberships (user_id, org_id, roles)
       select user_id, ?::text, ?::text[] from named where ?::text is not null
     )
     select user_id from named`,
    [p('owner'), p('name'), p('owner'), p('roles'), p('owner')],
  ),
);

const lockOwned = statement<{ owner: string | null; accountId: string }, { user_id: string }>(
  'service_account_lock',
  (p) =>
    sql('service_accounts')
      .select('user_id')
      .where('user_id', p('accountId'))
      .whereRaw('org_id is not distinct from ?', [p('owner')])
      .forUpdate(),
);

const remove = statement<{ accountId: string }>('service_account_remove', (p) =>
  sql.raw(`delete from users where user_id in (select user_id from service_accounts where user_id = ?)`, [
    p('accountId'),
  ]),
);

const findFleet = statement<{ accountId: string }, { user_id: string }>('service_account_find_fleet', (p) =>
  sql('service_accounts').select('user_id').where('user_id', p('accountId')).whereNull('org_id').forShare(),
);

const admit = statement<
  { accountId: string; organizationId: string; roles: readonly string[] },
  { user_id: string }
>('service_account_admit', (p) =>
  sql('memberships')
    .insert({ user_id: p('accountId'), org_id: p('organizationId'), roles: p('roles') })
    .onConflict(['user_id', 'org_id'])
    .ignore()
    .returning('user_id'),
);

const dismiss = statement<{ accountId: string; organizationId: string }, { user_id: string }>(
  'service_account_dismiss',
  (p) =>
    sql.raw(
      `delete from memberships where user_id = ? and org_id = ?
       and user_id in (select user_id from service_accounts where org_id is null) returning user_id`,
      [p('accountId'), p('organizationId')],
    ),
);

// An access token lives for 30 days at most, so nobody can present one of a key that was revoked before that.
const addKey = statement<{ accountId: string; keyHash: Uint8Array }, KeyRow>('service_account_add_key', (p) =>
  sql.raw(
    `with forgotten as (
       delete from service_account_keys where user_id = ? and revoked_at < now() - interval '31 days'
     )
     insert into service_account_keys (user_id, key_hash) values (?, ?)
     returning key_id, created_at, last_used_at`,
    [p('accountId'), p('accountId'), p('keyHash')],
  ),
);

const listKeys = statement<{ accountId: string }, KeyRow>('service_account_list_keys', (p) =>
  sql('service_account_keys')
    .select('key_id', 'created_at', 'last_used_at')
    .where('user_id', p('accountId'))
    .whereNull('revoked_at')
    .orderBy(['created_at', 'key_id']),
);

const revokeKey = statement<{ accountId: string; keyId: string }, { key_id: string }>(
  'service_account_revoke_key',
  (p) =>
    sql('service_account_keys')
      .where('user_id', p('accountId'))
      .where('key_id', p('keyId'))
      .whereNull('revoked_at')
      .update({ revoked_at: sql.raw('now()') })
      .returning('key_id'),
);

interface GrantRow {
  readonly key_id: string;
  readonly user_id: string;
  readonly org_id: OrganizationId | null;
  readonly roles: readonly OrganizationRole[] | null;
}

/** Of many processes that begin with one key at once, the first alone writes: the others wait for it and find it done. */
const useKey = statement<{ keyHash: Uint8Array }, GrantRow>('service_account_use_key', (p) =>
  sql.raw(
    `with found as materialized (
       select k.key_id, s.user_id, s.org_id, m.roles
       from service_account_keys k join service_accounts s using (user_id) join users u using (user_id)
       left join memberships m on m.user_id = s.user_id and m.org_id = s.org_id
       where k.key_hash = ? and k.revoked_at is null and u.status = 'active'
     ), noted as (
       update service_account_keys k set last_used_at = now() from found
       where k.key_id = found.key_id and (k.last_used_at is null or k.last_used_at < now() - interval '10 minutes')
     )
     select key_id, user_id, org_id, roles from found`,
    [p('keyHash')],
  ),
);

const toAccount = (row: AccountRow): ServiceAccount => ({
  accountId: row.user_id,
  name: row.name,
  isFleet: row.is_fleet,
  roles: row.roles ?? FLEET_ROLES,
  createdAt: row.created_at,
});

const toKey = (row: KeyRow): ServiceAccountKey => ({
  keyId: row.key_id,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
});

/** Decision 0048. */
export class KnexServiceAccountRepository implements ServiceAccountRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async insert(
    owner: AccountOwner,
    { name, roles }: { readonly name: string; readonly roles: readonly OrganizationRole[] },
  ): Promise<ServiceAccount> {
    const [row] = await this.#unlessNoOrganization(insert({ owner, name, roles }));
    const account = row === undefined ? null : await this.find(owner, row.user_id);
    if (account === null) throw new Error('a service account that was made cannot be found');
    return account;
  }

  async list(
    owner: AccountOwner,
    { limit, after }: PageRequest<string>,
  ): Promise<Page<ServiceAccount, string>> {
    const query = accountsOf(owner)
      .orderBy('s.user_id')
      .limit(limit + 1);
    if (after !== null) query.where('s.user_id', '>', after);
    const rows = await this.#executor.query(dynamicQuery<AccountRow>(query));
    return toPage(rows.map(toAccount), limit, ({ accountId }) => accountId);
  }

  async find(owner: AccountOwner, accountId: string): Promise<ServiceAccount | null> {
    const query = accountsOf(owner).where('s.user_id', accountId);
    const [row] = await this.#executor.query(dynamicQuery<AccountRow>(query));
    return row === undefined ? null : toAccount(row);
  }

  async lockOwned(owner: AccountOwner, accountId: string): Promise<ServiceAccount | null> {
    const [locked] = await this.#executor.query(lockOwned({ owner, accountId }));
    return locked === undefined ? null : this.find(owner, accountId);
  }

  async remove(accountId: string): Promise<void> {
    await this.#executor.query(remove({ accountId }));
  }

  async admit(organizationId: OrganizationId, accountId: string): Promise<boolean | null> {
    const [fleet] = await this.#executor.query(findFleet({ accountId }));
    if (fleet === undefined) return null;
    const added = admit({ accountId, organizationId, roles: FLEET_ROLES });
    return (await this.#unlessNoOrganization(added)).length > 0;
  }

  async dismiss(organizationId: OrganizationId, accountId: string): Promise<boolean> {
    return (await this.#executor.query(dismiss({ accountId, organizationId }))).length > 0;
  }

  async addKey(accountId: string, keyHash: Uint8Array): Promise<ServiceAccountKey> {
    const [row] = await this.#executor.query(addKey({ accountId, keyHash }));
    if (row === undefined) throw new Error('an insert without a row');
    return toKey(row);
  }

  async listKeys(accountId: string): Promise<readonly ServiceAccountKey[]> {
    return (await this.#executor.query(listKeys({ accountId }))).map(toKey);
  }

  async revokeKey(accountId: string, keyId: string): Promise<boolean> {
    return (await this.#executor.query(revokeKey({ accountId, keyId }))).length > 0;
  }

  async useKey(keyHash: Uint8Array): Promise<KeyGrant | null> {
    const [row] = await this.#executor.query(useKey({ keyHash }));
    if (row === undefined) return null;
    const { user_id: accountId, key_id: keyId, org_id: organizationId, roles } = row;
    return { accountId, keyId, organizationId, roles: roles ?? [] };
  }

  async #unlessNoOrganization<Row>(query: SqlQuery<Row>): Promise<readonly Row[]> {
    try {
      return await this.#executor.query(query);
    } catch (error) {
      const constraints = ['service_accounts_org_id_fkey', 'memberships_org_id_fkey'];
      if (constraints.some((name) => isViolation(error, FOREIGN_KEY_VIOLATION, name)))
        throw new OrganizationNotFoundError();
      throw error;
    }
  }
}
