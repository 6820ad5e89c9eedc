import { OrganizationDatabaseNotFoundError } from '../../domain/databases/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import { viewDatabase, type DatabaseView } from './database-view.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Makes the organization's database, or finds it ready.
 *
 * @throws {OrganizationNotFoundError}
 * @throws {DatabaseProvisioningError}
 * @throws {DatabaseConnectionError} when it was ready, and is missing or another one on the server
 */
export const provisionDatabase =
  ({ metadata, databases, ledger }: Pick<Ports, 'metadata' | 'databases' | 'ledger'>) =>
  async (actor: Actor, organizationId: OrganizationId): Promise<DatabaseView> => {
    await databases.provision(organizationId);
    const record = await ledger.find(organizationId);
    if (record === null) throw new OrganizationDatabaseNotFoundError();
    await metadata.auditLog.append({
      organizationId,
      action: 'database.provision_requested',
      entityType: 'database',
      entityId: record.databaseName,
      details: { state: record.state },
      ...causedBy(actor),
    });
    return viewDatabase(record, databases);
  };
