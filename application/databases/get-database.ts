import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { OrganizationDatabaseNotFoundError } from '../../domain/databases/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { viewDatabase, type DatabaseView } from './database-view.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * @throws {OrganizationNotFoundError}
 * @throws {OrganizationDatabaseNotFoundError} when it has not been used yet
 */
export const getDatabase =
  ({ ledger, databases }: Pick<Ports, 'ledger' | 'databases'>) =>
  async (organizationId: OrganizationId): Promise<DatabaseView> => {
    const found = await ledger.findForAccess(organizationId);
    if (found === null) throw new OrganizationNotFoundError();
    if (found.record === null) throw new OrganizationDatabaseNotFoundError();
    return viewDatabase(found.record, databases);
  };
