import { IdentityAlreadyLinkedError } from '../../domain/identity/errors.ts';
import type { ExternalIdentity } from '../../domain/identity/identity-repository.ts';
import { causedBy, type Actor } from '../actor.ts';
import { lockUser } from '../identity/find-user.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * From now on tokens of this issuer and subject speak for the user.
 *
 * @throws {UserNotFoundError}
 * @throws {IdentityAlreadyLinkedError}
 */
export const linkIdentity =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, userId: string, identity: { issuer: string; subject: string }): Promise<ExternalIdentity> =>
    metadata.transaction(async ({ users, identities, auditLog }) => {
      await lockUser({ users }, userId);
      const linked = await identities.link(userId, identity);
      if (linked === null) throw new IdentityAlreadyLinkedError();
      await auditLog.append({
        organizationId: null,
        action: 'identity.linked',
        entityType: 'user',
        entityId: userId,
        details: { ...identity },
        ...causedBy(actor),
      });
      return linked;
    });
