import type { OrganizationRole } from '../../../domain/identity/role.ts';
import type {
  Membership,
  PasswordIdentity,
  UserRepository,
} from '../../../domain/identity/user-repository.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

const findPasswordIdentity = statement<
  { email: string },
  { user_id: string; password_hash: string; status: 'active' | 'disabled'; platform_admin: boolean }
>('user_find_password_identity', (p) =>
  sql('identities')
    .join('users', 'users.user_id', 'identities.user_id')
    .select('users.user_id', 'identities.password_hash', 'users.status', 'users.platform_admin')
    .where('identities.provider', 'password')
    .whereRaw('identities.subject = lower(?)', [p('email')]),
);

const listMemberships = statement<
  { userId: string },
  { org_id: OrganizationId; roles: readonly OrganizationRole[] }
>('user_list_memberships', (p) =>
  sql('memberships').select('org_id', 'roles').where('user_id', p('userId')).orderBy('created_at'),
);

// One statement, so that a user never exists without the identity that lets it log in.
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

const findByEmail = statement<{ email: string }, { user_id: string }>('user_find_by_email', (p) =>
  sql('users')
    .select('user_id')
    .whereRaw('lower(email) = lower(?)', [p('email')]),
);

const setMembership = statement<{ userId: string; orgId: string; roles: readonly string[] }>(
  'user_set_membership',
  (p) =>
    sql('memberships')
      .insert({ user_id: p('userId'), org_id: p('orgId'), roles: p('roles') })
      .onConflict(['user_id', 'org_id'])
      .merge({ roles: sql.raw('excluded.roles'), updated_at: sql.raw('now()') }),
);

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

  async setMembership(userId: string, { organizationId, roles }: Membership): Promise<void> {
    await this.#executor.query(setMembership({ userId, orgId: organizationId, roles }));
  }
}
