import { MemberAlreadyExistsError } from '../../domain/identity/errors.ts';
import type { Member } from '../../domain/identity/member-repository.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Makes a user a member, by email. An email that is new becomes a user without any credential: a password is the
 * user's in every organization, so no single organization's administrator may choose it.
 *
 * @throws {OrganizationNotFoundError}
 * @throws {MemberAlreadyExistsError}
 */
export const addMember =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (
    actor: Actor,
    organizationId: OrganizationId,
    { email, roles }: { email: string; roles: readonly OrganizationRole[] },
  ): Promise<Member> =>
    metadata.transaction(async (repositories) => {
      const { members, auditLog } = repositories;
      const userId = await userIdOf(repositories, actor, email);
      const member = await members.add(organizationId, userId, roles);
      if (member === null) throw new MemberAlreadyExistsError();
      await auditLog.append({
        organizationId,
        action: 'member.added',
        entityType: 'user',
        entityId: userId,
        details: { email: member.email, roles: member.roles },
        ...causedBy(actor),
      });
      return member;
    });

const userIdOf = async (
  { users, auditLog }: MetadataRepositories,
  actor: Actor,
  email: string,
): Promise<string> => {
  const created = await users.insert({ email, platformAdmin: false });
  if (created === null) {
    const existing = await users.findByEmail(email);
    if (existing === null) throw new Error('a user that blocks an insert cannot be found');
    return existing.userId;
  }
  await auditLog.append({
    organizationId: null,
    action: 'user.created',
    entityType: 'user',
    entityId: created.userId,
    details: { email, platform_admin: false, password: false },
    ...causedBy(actor),
  });
  return created.userId;
};
