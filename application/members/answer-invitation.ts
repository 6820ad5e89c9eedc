import type { AuditAction } from '../../domain/audit/audit-actions.ts';
import { InvitationNotFoundError } from '../../domain/identity/errors.ts';
import type { Invitation } from '../../domain/identity/member-repository.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';

type Answer = (actor: Actor, organizationId: OrganizationId) => Promise<void>;

/**
 * Makes the caller a member of an organization that invited them. The token in use goes on speaking for what it was made
 * for; the next login can be for this organization.
 *
 * @throws {InvitationNotFoundError}
 */
export const acceptInvitation =
  ({ metadata }: Pick<Ports, 'metadata'>): Answer =>
  (actor, organizationId) =>
    metadata.transaction(async (repositories) => {
      const { roles } = await findInvitation(repositories, actor, organizationId);
      await repositories.members.add(organizationId, actor.principal.userId, roles);
      await recordAnswer(repositories, actor, { organizationId, action: 'member.accepted', roles });
    });

/** Ends an invitation. The organization may invite again. @throws {InvitationNotFoundError} */
export const declineInvitation =
  ({ metadata }: Pick<Ports, 'metadata'>): Answer =>
  (actor, organizationId) =>
    metadata.transaction(async (repositories) => {
      const { roles } = await findInvitation(repositories, actor, organizationId);
      await repositories.members.remove(organizationId, actor.principal.userId);
      await recordAnswer(repositories, actor, { organizationId, action: 'member.declined', roles });
    });

const findInvitation = async (
  { users, members }: MetadataRepositories,
  { principal: { userId } }: Actor,
  organizationId: OrganizationId,
): Promise<Invitation> => {
  // An operator's token is no user's.
  const invitations = (await users.lock(userId)) === null ? [] : await members.listInvitations(userId);
  const invitation = invitations.find((each) => each.organizationId === organizationId);
  if (invitation === undefined) throw new InvitationNotFoundError();
  return invitation;
};

const recordAnswer = (
  { auditLog }: MetadataRepositories,
  actor: Actor,
  { roles, ...what }: { organizationId: OrganizationId; action: AuditAction; roles: Invitation['roles'] },
): Promise<void> =>
  auditLog.append({
    ...what,
    entityType: 'user',
    entityId: actor.principal.userId,
    details: { roles },
    ...causedBy(actor),
  });
