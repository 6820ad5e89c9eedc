import { ServiceAccountNotFoundError } from '../../domain/identity/errors.ts';
import type { AccountOwner } from '../../domain/identity/service-account-repository.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Deletes a service account; its keys and tokens open nothing from then on. A fleet that the organization admitted loses
 * that membership, and goes on working for the others.
 *
 * @throws {ServiceAccountNotFoundError}
 */
export const removeServiceAccount =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, owner: AccountOwner, accountId: string): Promise<void> =>
    metadata.transaction(async ({ serviceAccounts, auditLog }) => {
      const owned = await serviceAccounts.lockOwned(owner, accountId);
      if (owned !== null) await serviceAccounts.remove(accountId);
      else if (owner === null || !(await serviceAccounts.dismiss(owner, accountId)))
        throw new ServiceAccountNotFoundError();
      await auditLog.append({
        organizationId: owner,
        action: owned === null ? 'service_account.dismissed' : 'service_account.removed',
        entityType: 'service_account',
        entityId: accountId,
        details: owned === null ? {} : { name: owned.name, roles: owned.roles },
        ...causedBy(actor),
      });
    });
