import { IdentityNotFoundError } from '../../domain/identity/errors.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/** @throws {IdentityNotFoundError} */
export const unlinkIdentity =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, userId: string, identityId: string): Promise<void> =>
    metadata.transaction(async ({ identities, auditLog }) => {
      const unlinked = await identities.unlink(userId, identityId);
      if (unlinked === null) throw new IdentityNotFoundError();
      await auditLog.append({
        organizationId: null,
        action: 'identity.unlinked',
        entityType: 'user',
        entityId: userId,
        details: { issuer: unlinked.issuer, subject: unlinked.subject },
        ...causedBy(actor),
      });
    });
