import { ServiceAccountKeyNotFoundError } from '../../domain/identity/errors.ts';
import type { AccountOwner } from '../../domain/identity/service-account-repository.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';
import { lockOwned } from './add-service-account-key.ts';

/**
 * Ends a key and the tokens that it brought.
 *
 * @throws {ServiceAccountNotFoundError} also of a fleet that the organization admitted
 * @throws {ServiceAccountKeyNotFoundError} also when it was revoked before
 */
export const revokeServiceAccountKey =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, owner: AccountOwner, accountId: string, keyId: string): Promise<void> =>
    metadata.transaction(async ({ serviceAccounts, auditLog }) => {
      await lockOwned(serviceAccounts, owner, accountId);
      if (!(await serviceAccounts.revokeKey(accountId, keyId))) throw new ServiceAccountKeyNotFoundError();
      await auditLog.append({
        organizationId: owner,
        action: 'service_account.key_revoked',
        entityType: 'service_account',
        entityId: accountId,
        details: { key_id: keyId },
        ...causedBy(actor),
      });
    });
