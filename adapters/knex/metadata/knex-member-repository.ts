import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { Member, MemberRepository } from '../../../domain/identity/member-repository.ts';
import type { OrganizationRole } from '../../../domain/identity/role.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import { FOREIGN_KEY_VIOLATION, isViolation } from '../postgres-error.ts';
import { dynamicQuery, sql, statement, type SqlExecutor } from '../statement.ts';

interface MemberRow {
  readonly user_id: string;
  readonly email: string;
  readonly status: 'active' | 'disabled';
  readonly roles: readonly OrganizationRole[];
  readonly created_at: Date;
  readonly updated_at: Date;
}

interface Key {
  readonly userId: string;
  readonly organizationId: string;
}

const members = () =>
  sql('memberships')
    .join('users', 'users.user_id', 'memberships.user_id')
    .select(
      'memberships.user_id',
      'users.email',
      'users.status',
      'memberships.roles',
      'memberships.created_at',
      'memberships.updated_at',
    );

const find = statement<Key, MemberRow>('member_find', (p) =>
  members().where('memberships.org_id', p('organizationId')).where('memberships.user_id', p('userId')),
);

const findForUpdate = statement<Key, MemberRow>('member_find_for_update', (p) =>
  members()
    .where('memberships.org_id', p('organizationId'))
    .where('memberships.user_id', p('userId'))
    .forUpdate('memberships'),
);

const add = statement<Key & { roles: readonly string[] }, { user_id: string }>('member_add', (p) =>
  sql('memberships')
    .insert({ user_id: p('userId'), org_id: p('organizationId'), roles: p('roles') })
    .onConflict(['user_id', 'org_id'])
    .ignore()
    .returning('user_id'),
);

const setRoles = statement<Key & { roles: readonly string[] }, { user_id: string }>('member_set_roles', (p) =>
  sql('memberships')
    .where('org_id', p('organizationId'))
    .where('user_id', p('userId'))
    .update({ roles: p('roles'), updated_at: sql.raw('now()') })
    .returning('user_id'),
);

const remove = statement<Key>('member_remove', (p) =>
  sql('memberships').where('org_id', p('organizationId')).where('user_id', p('userId')).delete(),
);

const toMember = (row: MemberRow): Member => ({
  userId: row.user_id,
  email: row.email,
  active: row.status === 'active',
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
      .where('memberships.org_id', organizationId)
      .orderBy('memberships.user_id')
      .limit(limit + 1);
    if (after !== null) query.where('memberships.user_id', '>', after);
    const rows = await this.#executor.query(dynamicQuery<MemberRow>(query));
    return toPage(rows.map(toMember), limit, ({ userId }) => userId);
  }

  async findForUpdate(organizationId: OrganizationId, userId: string): Promise<Member | null> {
    const [row] = await this.#executor.query(findForUpdate({ organizationId, userId }));
    return row === undefined ? null : toMember(row);
  }

  async add(
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member | null> {
    try {
      const [added] = await this.#executor.query(add({ organizationId, userId, roles }));
      return added === undefined ? null : await this.#find({ organizationId, userId });
    } catch (error) {
      if (isViolation(error, FOREIGN_KEY_VIOLATION, 'memberships_org_id_fkey')) {
        throw new OrganizationNotFoundError();
      }
      throw error;
    }
  }

  async setRoles(
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member | null> {
    await this.#executor.query(setRoles({ organizationId, userId, roles }));
    return this.#find({ organizationId, userId });
  }

  async remove(organizationId: OrganizationId, userId: string): Promise<void> {
    await this.#executor.query(remove({ organizationId, userId }));
  }

  async #find(key: Key): Promise<Member | null> {
    const [row] = await this.#executor.query(find(key));
    return row === undefined ? null : toMember(row);
  }
}
