import { MemberNotFoundError } from '../../domain/identity/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Ends a membership and the user's sessions for this organization, or takes an invitation back; the user stays, and so do
 * other memberships.
 *
 * @throws {MemberNotFoundError}
 */
export const removeMember =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, organizationId: OrganizationId, userId: string): Promise<void> =>
    metadata.transaction(async ({ users, members, sessions, auditLog }) => {
      await users.lock(userId);
      const member = await members.find(organizationId, userId);
      if (member === null) throw new MemberNotFoundError();
      await members.remove(organizationId, userId);
      await sessions.revokeAll(userId, { organizationId });
      await auditLog.append({
        organizationId,
        action: 'member.removed',
        entityType: 'user',
        entityId: userId,
        details: { roles: member.roles, ...(member.status === 'invited' && { invited: true }) },
        ...causedBy(actor),
      });
    });
