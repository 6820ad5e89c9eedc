import { IdentityNotFoundError } from '../../domain/identity/errors.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';

export class UnlinkIdentity {
  readonly #metadata: MetadataDatabase;

  constructor(metadata: MetadataDatabase) {
    this.#metadata = metadata;
  }

  /** @throws {IdentityNotFoundError} */
  execute(actor: Actor, userId: string, identityId: string): Promise<void> {
    return this.#metadata.transaction(async ({ identities, auditLog }) => {
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
  }
}
