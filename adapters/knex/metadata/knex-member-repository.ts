import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { Invitation, Member, MemberRepository } from '../../../domain/identity/member-repository.ts';
import type { OrganizationRole } from '../../../domain/identity/role.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { FOREIGN_KEY_VIOLATION, isViolation } from '../postgres-error.ts';
import { dynamicQuery, sql, statement, type SqlExecutor, type SqlQuery } from '../statement.ts';

interface MemberRow {
  readonly user_id: string;
  readonly email: string;
  readonly status: Member['status'];
  readonly roles: readonly OrganizationRole[];
  readonly created_at: Date;
  readonly updated_at: Date;
}

interface Key {
  readonly userId: string;
  readonly organizationId: string;
}

interface InvitationRow {
  readonly org_id: OrganizationId;
  readonly roles: readonly OrganizationRole[];
  readonly created_at: Date;
}

/** Of an invited user the rows hold what the invitation says, and nothing of the account. */
const members = () =>
  sql.select('*').from(
    sql.raw(
      `(select m.org_id, m.user_id, u.email, u.status, m.roles, m.created_at, m.updated_at
          from memberships m join users u using (user_id)
          where not exists (select from service_accounts s where s.user_id = m.user_id)
          union all
          select org_id, user_id, email, 'invited', roles, created_at, updated_at from invitations) as members`,
    ),
  );

const find = statement<Key, MemberRow>('member_find', (p) =>
  members().where('org_id', p('organizationId')).where('user_id', p('userId')),
);

const add = statement<Key & { roles: readonly string[] }, { user_id: string }>('member_add', (p) =>
  sql('memberships')
    .insert({ user_id: p('userId'), org_id: p('organizationId'), roles: p('roles') })
    .onConflict(['user_id', 'org_id'])
    .ignore()
    .returning('user_id'),
);

const invite = statement<Key & { email: string; roles: readonly string[] }, { user_id: string }>(
  'member_invite',
  (p) =>
    sql.raw(
      `insert into invitations (user_id, org_id, email, roles)
       select ?::uuid, ?::text, ?, ?::text[]
       where not exists (select from memberships where user_id = ?::uuid and org_id = ?::text)
       on conflict do nothing returning user_id`,
      [p('userId'), p('organizationId'), p('email'), p('roles'), p('userId'), p('organizationId')],
    ),
);

const listInvitations = statement<{ userId: string }, InvitationRow>('member_list_invitations', (p) =>
  sql('invitations')
    .select('org_id', 'roles', 'created_at')
    .where('user_id', p('userId'))
    .orderBy(['created_at', 'org_id']),
);

const setRoles = statement<Key & { roles: readonly string[] }>('member_set_roles', (p) => {
  const values = [p('roles'), p('userId'), p('organizationId')];
  return sql.raw(
    `with offered as (
       update invitations set roles = ?::text[], updated_at = now() where user_id = ? and org_id = ?
     )
     update memberships set roles = ?::text[], updated_at = now() where user_id = ? and org_id = ?`,
    [...values, ...values],
  );
});

const remove = statement<Key>('member_remove', (p) => {
  const key = [p('userId'), p('organizationId')];
  return sql.raw(
    `with withdrawn as (delete from invitations where user_id = ? and org_id = ?)
     delete from memberships where user_id = ? and org_id = ?`,
    [...key, ...key],
  );
});

const toMember = (row: MemberRow): Member => ({
  userId: row.user_id,
  email: row.email,
  status: row.status,
  roles: row.roles,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export class KnexMemberRepository implements MemberRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async list(
    organizationId: OrganizationId,
    { limit, after }: PageRequest<string>,
  ): Promise<Page<Member, string>> {
    const query = members()
      .where('org_id', organizationId)
      .orderBy('user_id')
      .limit(limit + 1);
    if (after !== null) query.where('user_id', '>', after);
    const rows = await this.#executor.query(dynamicQuery<MemberRow>(query));
    return toPage(rows.map(toMember), limit, ({ userId }) => userId);
  }

  async find(organizationId: OrganizationId, userId: string): Promise<Member | null> {
    const [row] = await this.#executor.query(find({ organizationId, userId }));
    return row === undefined ? null : toMember(row);
  }

  async add(
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member | null> {
    const added = await this.#insert('memberships', add({ organizationId, userId, roles }));
    return added ? this.find(organizationId, userId) : null;
  }

  async invite(
    organizationId: OrganizationId,
    userId: string,
    { email, roles }: { email: string; roles: readonly OrganizationRole[] },
  ): Promise<Member | null> {
    const invited = await this.#insert('invitations', invite({ organizationId, userId, email, roles }));
    return invited ? this.find(organizationId, userId) : null;
  }

  async listInvitations(userId: string): Promise<readonly Invitation[]> {
    const rows = await this.#executor.query(listInvitations({ userId }));
    return rows.map((row) => ({ organizationId: row.org_id, roles: row.roles, createdAt: row.created_at }));
  }

  async setRoles(
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member | null> {
    await this.#executor.query(setRoles({ organizationId, userId, roles }));
    return this.find(organizationId, userId);
  }

  async remove(organizationId: OrganizationId, userId: string): Promise<void> {
    await this.#executor.query(remove({ organizationId, userId }));
  }

  async #insert(table: 'memberships' | 'invitations', query: SqlQuery<object>): Promise<boolean> {
    try {
      return (await this.#executor.query(query)).length > 0;
    } catch (error) {
      if (isViolation(error, FOREIGN_KEY_VIOLATION, `${table}_org_id_fkey`)) {
        throw new OrganizationNotFoundError();
      }
      throw error;
    }
  }
}
