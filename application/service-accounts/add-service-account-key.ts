import { ServiceAccountNotFoundError } from '../../domain/identity/errors.ts';
import type {
  AccountOwner,
  ServiceAccount,
  ServiceAccountKey,
  ServiceAccountRepository,
} from '../../domain/identity/service-account-repository.ts';
import { QuotaExceededError } from '../../domain/organizations/errors.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/** A key with what opens the account. Nothing keeps it. */
export interface NewKey extends ServiceAccountKey {
  readonly secret: string;
}

/** A second one lets every worker change over before the first one is revoked. More than some mean that nobody revokes. */
export const MAX_KEYS = 20;

/**
 * Gives a service account another key; the others go on opening it.
 *
 * @throws {ServiceAccountNotFoundError} also of a fleet that the organization admitted: its keys are the platform's
 * @throws {QuotaExceededError} when the account has `MAX_KEYS`
 */
export const addServiceAccountKey =
  ({ metadata, serviceKeys }: Pick<Ports, 'metadata' | 'serviceKeys'>) =>
  (actor: Actor, owner: AccountOwner, accountId: string): Promise<NewKey> =>
    metadata.transaction(async ({ serviceAccounts, auditLog }) => {
      await lockOwned(serviceAccounts, owner, accountId);
      const keys = await serviceAccounts.listKeys(accountId);
      if (keys.length >= MAX_KEYS) throw new QuotaExceededError('service_account_keys', MAX_KEYS);
      const { token: secret, hash } = serviceKeys.create();
      const key = await serviceAccounts.addKey(accountId, hash);
      await auditLog.append({
        organizationId: owner,
        action: 'service_account.key_added',
        entityType: 'service_account',
        entityId: accountId,
        details: { key_id: key.keyId },
        ...causedBy(actor),
      });
      return { ...key, secret };
    });

/** For use within a transaction. @throws {ServiceAccountNotFoundError} */
export const lockOwned = async (
  serviceAccounts: ServiceAccountRepository,
  owner: AccountOwner,
  accountId: string,
): Promise<ServiceAccount> => {
  const account = await serviceAccounts.lockOwned(owner, accountId);
  if (account === null) throw new ServiceAccountNotFoundError();
  return account;
};
