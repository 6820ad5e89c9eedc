import { canonicalEmail } from '../../../domain/identity/email.ts';
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
import { beginsWith } from '../begins-with.ts';
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
    )
    // Those are no people: nobody gives them a password, an identity or a role of the platform.
    .whereNotExists(sql('service_accounts').whereRaw('service_accounts.user_id = users.user_id'));

const find = statement<{ userId: string }, UserRow>('user_find', (p) =>
  users().where('users.user_id', p('userId')),
);

interface Address {
  readonly email: string;
  readonly canonical: string;
}

interface AddressRow {
  readonly email: string;
  readonly canonical_email: string | null;
}

/** The user of an email may also be one whose canonical form is not known yet: `ownerOf` finds out. */
const MAY_OWN = '(users.canonical_email = ? or users.canonical_email is null)';

const findByEmail = statement<Address, UserRow & AddressRow>('user_find_by_email', (p) =>
  users()
    .select('users.canonical_email')
    .whereRaw(MAY_OWN, [p('canonical')]),
);

const lock = statement<{ userId: string }, { user_id: string }>('user_lock', (p) =>
  sql('users').select('user_id').where('user_id', p('userId')).forNoKeyUpdate(),
);

// The release before this one has an index of its own: neither of the two may be in the way.
const insert = statement<Address & { platformAdmin: boolean; placeholder: boolean }, { user_id: string }>(
  'user_insert',
  (p) =>
    sql('users')
      .insert({
        email: p('email'),
        canonical_email: p('canonical'),
        platform_admin: p('platformAdmin'),
        placeholder: p('placeholder'),
      })
      .onConflict()
      .ignore()
      .returning('user_id'),
);

const takePlaceholder = statement<Address & { platformAdmin: boolean }, { user_id: string }>(
  'user_take_placeholder',
  (p) =>
    sql('users')
      .where('canonical_email', p('canonical'))
      .where('placeholder', true)
      .whereRaw('not exists (select from identities where identities.user_id = users.user_id)')
      .update({
        email: p('email'),
        platform_admin: p('platformAdmin'),
        placeholder: false,
        updated_at: sql.raw('now()'),
      })
      .returning('user_id'),
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
      // The release before this one finds a password by that subject. This one finds it by its user.
      `with replaced as (
         update identities set password_hash = ?, must_change = ?::boolean, updated_at = now()
         where user_id = ? and provider = 'password' returning user_id
       )
       insert into identities (user_id, provider, subject, password_hash, must_change)
       select user_id, 'password', lower(email), ?, ?::boolean from users
       where user_id = ? and not exists (select from replaced)`,
      [p('hash'), p('mustChange'), p('userId'), p('hash'), p('mustChange'), p('userId')],
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
  { canonical: string },
  AddressRow & { user_id: string; password_hash: string }
>('user_find_password_identity', (p) =>
  sql('users')
    .join('identities', 'identities.user_id', 'users.user_id')
    .select('users.user_id', 'users.email', 'users.canonical_email', 'identities.password_hash')
    .where('identities.provider', 'password')
    .whereRaw(MAY_OWN, [p('canonical')]),
);

const listMemberships = statement<
  { userId: string },
  { org_id: OrganizationId; roles: readonly OrganizationRole[] }
>('user_list_memberships', (p) =>
  sql('memberships').select('org_id', 'roles').where('user_id', p('userId')).orderBy('created_at'),
);

// One statement: a user never exists without the password that lets them log in.
const ensureUser = statement<Address & { passwordHash: string; platformAdmin: boolean }, { user_id: string }>(
  'user_ensure',
  (p) =>
    sql.raw(
      `with inserted as (
         insert into users (email, canonical_email, platform_admin) values (?, ?, ?)
         on conflict do nothing returning user_id, email
       ), identity as (
         insert into identities (user_id, provider, subject, password_hash)
         select user_id, 'password', lower(email), ? from inserted
       )
       select user_id from inserted`,
      [p('email'), p('canonical'), p('platformAdmin'), p('passwordHash')],
    ),
);

const findPlatformAdministrator = statement<object, { user_id: string }>(
  'user_find_platform_administrator',
  () => sql('users').select('user_id').where({ platform_admin: true, status: 'active' }).limit(1),
);
const addressOf = (email: string): Address => ({ email, canonical: canonicalEmail(email) });

/**
 * Which row an email belongs to. Two users have one canonical form only when they are older than that form: then each is
 * found by the spelling that the user was made with, and any other spelling finds the user who has the form.
 */
const ownerOf = <Row extends AddressRow>(
  rows: readonly Row[],
  { email, canonical }: Address,
): Row | undefined => {
  const owners = rows.filter((row) => (row.canonical_email ?? canonicalEmail(row.email)) === canonical);
  return (
    owners.find((row) => row.email === email) ??
    owners.find((row) => row.canonical_email !== null) ??
    owners[0]
  );
};

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
    const address = addressOf(email);
    const row = ownerOf(await this.#executor.query(findPasswordIdentity(address)), address);
    return row === undefined ? null : { userId: row.user_id, passwordHash: row.password_hash };
  }

  async lock(userId: string): Promise<User | null> {
    if (!isUuid(userId)) return null;
    const [locked] = await this.#executor.query(lock({ userId }));
    // Read by a statement of its own: one that waited for the lock would see what was true before.
    return locked === undefined ? null : this.find(userId);
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
    const [inserted] = await this.#executor.query(ensureUser({ ...user, ...addressOf(user.email) }));
    if (inserted !== undefined) return { userId: inserted.user_id, created: true };
    const existing = await this.findByEmail(user.email);
    if (existing === null) throw new Error('a user that blocks an insert cannot be found');
    return { userId: existing.userId, created: false };
  }

  async hasPlatformAdministrator(): Promise<boolean> {
    return (await this.#executor.query(findPlatformAdministrator({}))).length > 0;
  }

  async lockPasswordHash(userId: string): Promise<string | null> {
    const [row] = await this.#executor.query(lockPasswordHash({ userId }));
    return row?.password_hash ?? null;
  }

  async insert({ email, platformAdmin }: { email: string; platformAdmin: boolean }): Promise<User | null> {
    const user = { ...addressOf(email), platformAdmin };
    const [taken] = await this.#executor.query(takePlaceholder(user));
    const [inserted] =
      taken === undefined ? await this.#executor.query(insert({ ...user, placeholder: false })) : [taken];
    return inserted === undefined ? null : this.find(inserted.user_id);
  }

  async insertPlaceholder(email: string): Promise<User | null> {
    const user = { ...addressOf(email), platformAdmin: false, placeholder: true };
    const [inserted] = await this.#executor.query(insert(user));
    return inserted === undefined ? null : this.find(inserted.user_id);
  }

  async find(userId: string): Promise<User | null> {
    if (!isUuid(userId)) return null;
    const [row] = await this.#executor.query(find({ userId }));
    return row === undefined ? null : toUser(row);
  }

  async findByEmail(email: string): Promise<User | null> {
    const address = addressOf(email);
    const row = ownerOf(await this.#executor.query(findByEmail(address)), address);
    return row === undefined ? null : toUser(row);
  }

  async list(
    { email, prefix = null }: { readonly email: string | null; readonly prefix?: string | null },
    { limit, after }: PageRequest<string>,
  ): Promise<Page<User, string>> {
    if (email !== null) {
      const user = after === null ? await this.findByEmail(email) : null;
      return { items: user === null ? [] : [user], next: null };
    }
    const query = users()
      .orderBy('users.user_id')
      .limit(limit + 1);
    if (after !== null) query.where('users.user_id', '>', after);
    if (prefix !== null) query.whereRaw('lower(users.email) like lower(?)', [beginsWith(prefix)]);
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
