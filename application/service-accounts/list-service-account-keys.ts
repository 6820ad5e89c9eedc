import { ServiceAccountNotFoundError } from '../../domain/identity/errors.ts';
import type { AccountOwner, ServiceAccountKey } from '../../domain/identity/service-account-repository.ts';
import type { Ports } from '../ports/ports.ts';

/** Those that open the account. @throws {ServiceAccountNotFoundError} also of a fleet that the organization admitted */
export const listServiceAccountKeys =
  ({ metadata: { serviceAccounts } }: Pick<Ports, 'metadata'>) =>
  async (owner: AccountOwner, accountId: string): Promise<readonly ServiceAccountKey[]> => {
    const account = await serviceAccounts.find(owner, accountId);
    if (account === null || (owner !== null && account.isFleet)) throw new ServiceAccountNotFoundError();
    return serviceAccounts.listKeys(accountId);
  };
