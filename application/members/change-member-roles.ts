import { MemberNotFoundError } from '../../domain/identity/errors.ts';
import type { Member } from '../../domain/identity/member-repository.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/** Gives a member these roles in place of the earlier ones. @throws {MemberNotFoundError} */
export const changeMemberRoles =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (
    actor: Actor,
    organizationId: OrganizationId,
    userId: string,
    roles: readonly OrganizationRole[],
  ): Promise<Member> =>
    metadata.transaction(async ({ users, members, auditLog }) => {
      await users.lock(userId);
      const before = await members.find(organizationId, userId);
      const after = before && (await members.setRoles(organizationId, userId, roles));
      if (before === null || after === null) throw new MemberNotFoundError();
      await auditLog.append({
        organizationId,
        action: 'member.roles_changed',
        entityType: 'user',
        entityId: userId,
        details: { before: before.roles, after: after.roles },
        ...causedBy(actor),
      });
      return after;
    });
