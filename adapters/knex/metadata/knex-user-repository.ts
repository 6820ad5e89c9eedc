import type { OrganizationRole } from '../../../domain/identity/role.ts';
import type {
  Membership,
  PasswordIdentity,
  User,
  UserChange,
  UserRepository,
} from '../../../domain/identity/user-repository.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { dynamicQuery, sql, statement, type SqlExecutor } from '../statement.ts';
import { isUuid } from '../uuid.ts';

interface UserRow {
  readonly user_id: string;
  readonly email: string;
  readonly status: 'active' | 'disabled';
  readonly platform_admin: boolean;
  readonly has_password: boolean;
  readonly must_change: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const users = () =>
  sql('users')
    .leftJoin('identities', (join) => {
      join
        .on('identities.user_id', 'users.user_id')
        .andOnVal('identities.provider', '=', sql.raw("'password'"));
    })
    .select(
      'users.user_id',
      'users.email',
      'users.status',
      'users.platform_admin',
      'users.created_at',
      'users.updated_at',
      sql.raw('identities.user_id is not null as has_password'),
      sql.raw('coalesce(identities.must_change, false) as must_change'),
    );

const find = statement<{ userId: string }, UserRow>('user_find', (p) =>
  users().where('users.user_id', p('userId')),
);

const findByEmail = statement<{ email: string }, UserRow>('user_find_by_email', (p) =>
  users().whereRaw('lower(users.email) = lower(?)', [p('email')]),
);

const insert = statement<{ email: string; platformAdmin: boolean }, { user_id: string }>('user_insert', (p) =>
  sql.raw(
    'insert into users (email, platform_admin) values (?, ?) on conflict (lower(email)) do nothing returning user_id',
    [p('email'), p('platformAdmin')],
  ),
);

const change = statement<{
  userId: string;
  status: string | null;
  platformAdmin: boolean | null;
  mustChange: boolean | null;
}>('user_change', (p) =>
  sql.raw(
    `with password as (
       update identities set must_change = coalesce(?::boolean, must_change)
       where user_id = ? and provider = 'password'
     )
     update users set status = coalesce(?::text, status), platform_admin = coalesce(?::boolean, platform_admin),
       updated_at = now()
     where user_id = ?`,
    [p('mustChange'), p('userId'), p('status'), p('platformAdmin'), p('userId')],
  ),
);

const setPassword = statement<{ userId: string; hash: string; mustChange: boolean }>(
  'user_set_password',
  (p) =>
    sql.raw(
      `insert into identities (user_id, provider, subject, password_hash, must_change)
       select user_id, 'password', lower(email), ?, ?::boolean from users where user_id = ?
       on conflict (provider, subject) do update set password_hash = excluded.password_hash,
         must_change = excluded.must_change, updated_at = now()`,
      [p('hash'), p('mustChange'), p('userId')],
    ),
);

const lockPasswordHash = statement<{ userId: string }, { password_hash: string }>(
  'user_lock_password_hash',
  (p) =>
    sql('identities')
      .select('password_hash')
      .where('provider', 'password')
      .where('user_id', p('userId'))
      .forUpdate(),
);

const findPasswordIdentity = statement<
  { email: string },
  {
    user_id: string;
    password_hash: string;
    must_change: boolean;
    status: 'active' | 'disabled';
    platform_admin: boolean;
  }
>('user_find_password_identity', (p) =>
  sql('identities')
    .join('users', 'users.user_id', 'identities.user_id')
    .select(
      'users.user_id',
      'identities.password_hash',
      'identities.must_change',
      'users.status',
      'users.platform_admin',
    )
    .where('identities.provider', 'password')
    .whereRaw('identities.subject = lower(?)', [p('email')]),
);

const listMemberships = statement<
  { userId: string },
  { org_id: OrganizationId; roles: readonly OrganizationRole[] }
>('user_list_memberships', (p) =>
  sql('memberships').select('org_id', 'roles').where('user_id', p('userId')).orderBy('created_at'),
);

// One statement: a user never exists without the password that lets them log in.
const ensureUser = statement<
  { email: string; passwordHash: string; platformAdmin: boolean },
  { user_id: string }
>('user_ensure', (p) =>
  sql.raw(
    `with inserted as (
         insert into users (email, platform_admin) values (?, ?) on conflict (lower(email)) do nothing returning user_id
       ), identity as (
         insert into identities (user_id, provider, subject, password_hash)
         select user_id, 'password', lower(?), ? from inserted
       )
       select user_id from inserted`,
    [p('email'), p('platformAdmin'), p('email'), p('passwordHash')],
  ),
);

const findPlatformAdministrator = statement<object, { user_id: string }>(
  'user_find_platform_administrator',
  () => sql('users').select('user_id').where({ platform_admin: true, status: 'active' }).limit(1),
);

const toUser = (row: UserRow): User => ({
  userId: row.user_id,
  email: row.email,
  active: row.status === 'active',
  platformAdmin: row.platform_admin,
  hasPassword: row.has_password,
  mustChangePassword: row.must_change,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export class KnexUserRepository implements UserRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async findPasswordIdentity(email: string): Promise<PasswordIdentity | null> {
    const [row] = await this.#executor.query(findPasswordIdentity({ email }));
    if (row === undefined) return null;
    return {
      userId: row.user_id,
      passwordHash: row.password_hash,
      mustChange: row.must_change,
      active: row.status === 'active',
      platformAdmin: row.platform_admin,
    };
  }

  async listMemberships(userId: string): Promise<readonly Membership[]> {
    const rows = await this.#executor.query(listMemberships({ userId }));
    return rows.map(({ org_id: organizationId, roles }) => ({ organizationId, roles }));
  }

  async ensureUser(user: {
    email: string;
    passwordHash: string;
    platformAdmin: boolean;
  }): Promise<{ userId: string; created: boolean }> {
    const [inserted] = await this.#executor.query(ensureUser(user));
    if (inserted !== undefined) return { userId: inserted.user_id, created: true };
    const [existing] = await this.#executor.query(findByEmail({ email: user.email }));
    if (existing === undefined) throw new Error('a user that blocks an insert cannot be found');
    return { userId: existing.user_id, created: false };
  }

  async hasPlatformAdministrator(): Promise<boolean> {
    return (await this.#executor.query(findPlatformAdministrator({}))).length > 0;
  }

  async lockPasswordHash(userId: string): Promise<string | null> {
    const [row] = await this.#executor.query(lockPasswordHash({ userId }));
    return row?.password_hash ?? null;
  }

  async insert(user: { email: string; platformAdmin: boolean }): Promise<User | null> {
    const [inserted] = await this.#executor.query(insert(user));
    return inserted === undefined ? null : this.find(inserted.user_id);
  }

  async find(userId: string): Promise<User | null> {
    if (!isUuid(userId)) return null;
    const [row] = await this.#executor.query(find({ userId }));
    return row === undefined ? null : toUser(row);
  }

  async findByEmail(email: string): Promise<User | null> {
    const [row] = await this.#executor.query(findByEmail({ email }));
    return row === undefined ? null : toUser(row);
  }

  async list(
    { email }: { readonly email: string | null },
    { limit, after }: PageRequest<string>,
  ): Promise<Page<User, string>> {
    const query = users()
      .orderBy('users.user_id')
      .limit(limit + 1);
    if (email !== null) query.whereRaw('lower(users.email) = lower(?)', [email]);
    if (after !== null) query.where('users.user_id', '>', after);
    const rows = await this.#executor.query(dynamicQuery<UserRow>(query));
    return toPage(rows.map(toUser), limit, ({ userId }) => userId);
  }

  async change(
    userId: string,
    { active, platformAdmin, mustChangePassword }: UserChange,
  ): Promise<User | null> {
    const status = active === undefined ? null : active ? 'active' : 'disabled';
    await this.#executor.query(
      change({
        userId,
        status,
        platformAdmin: platformAdmin ?? null,
        mustChange: mustChangePassword ?? null,
      }),
    );
    return this.find(userId);
  }

  async setPassword(
    userId: string,
    { hash, mustChange }: { hash: string; mustChange: boolean },
  ): Promise<void> {
    await this.#executor.query(setPassword({ userId, hash, mustChange }));
  }
}
