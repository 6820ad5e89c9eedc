import { ServiceAccountNotFoundError } from '../../domain/identity/errors.ts';
import type { ServiceAccount } from '../../domain/identity/service-account-repository.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Lets a fleet work for the organization: read its jobs, and write their results. The platform agreed by making a fleet of
 * the account, and its id is known to those whom the platform told. Safe to repeat. Decision 0048.
 *
 * @returns also whether it was admitted by this call
 * @throws {ServiceAccountNotFoundError} also when the account is another organization's
 * @throws {OrganizationNotFoundError}
 */
export const admitFleet =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (
    actor: Actor,
    organizationId: OrganizationId,
    accountId: string,
  ): Promise<{ readonly account: ServiceAccount; readonly isNew: boolean }> =>
    metadata.transaction(async ({ serviceAccounts, auditLog }) => {
      const isNew = await serviceAccounts.admit(organizationId, accountId);
      const account = isNew === null ? null : await serviceAccounts.find(organizationId, accountId);
      if (isNew === null || account === null) throw new ServiceAccountNotFoundError();
      if (isNew) {
        await auditLog.append({
          organizationId,
          action: 'service_account.admitted',
          entityType: 'service_account',
          entityId: accountId,
          details: { name: account.name, roles: account.roles },
          ...causedBy(actor),
        });
      }
      return { account, isNew };
    });
