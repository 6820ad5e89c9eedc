import { OrganizationBusyError } from '../../domain/databases/errors.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import type { AccountOwner, ServiceAccount } from '../../domain/identity/service-account-repository.ts';
import { causedBy, type Actor } from '../actor.ts';
import { TokenBuckets } from '../limits/token-buckets.ts';
import type { Ports } from '../ports/ports.ts';
import type { NewKey } from './add-service-account-key.ts';

/**
 * Makes a service account and its first key, which is shown this once. The platform's is a fleet, whose roles are not
 * for choosing. Decision 0048.
 *
 * @throws {OrganizationNotFoundError}
 * @throws {OrganizationBusyError} when the organization makes too many
 */
export const createServiceAccount = ({ metadata, serviceKeys }: Pick<Ports, 'metadata' | 'serviceKeys'>) => {
  const made = new TokenBuckets();
  return async (
    actor: Actor,
    owner: AccountOwner,
    { name, roles }: { readonly name: string; readonly roles: readonly OrganizationRole[] },
  ): Promise<{ readonly account: ServiceAccount; readonly key: NewKey }> => {
    const waitMs = made.take(owner ?? '', 1, MAX_MADE);
    if (waitMs > 0) throw new OrganizationBusyError(waitMs, 'Too many service accounts are made at once.');
    const { token: secret, hash } = serviceKeys.create();
    return metadata.transaction(async ({ serviceAccounts, auditLog }) => {
      const account = await serviceAccounts.insert(owner, { name, roles });
      const key = await serviceAccounts.addKey(account.accountId, hash);
      await auditLog.append({
        organizationId: owner,
        action: 'service_account.created',
        entityType: 'service_account',
        entityId: account.accountId,
        details: { name, roles: account.roles, key_id: key.keyId },
        ...causedBy(actor),
      });
      return { account, key: { ...key, secret } };
    });
  };
};

/** As many as members may be added. Decision 0035. */
const MAX_MADE = { perSecond: 1 / 60, burst: 1000 } as const;
