import { OrganizationDatabaseNotFoundError } from '../../domain/databases/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { DatabaseLedger } from '../ports/databases/database-ledger.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { OrganizationDatabases } from '../ports/databases/organization-databases.ts';
import { viewDatabase, type DatabaseView } from './database-view.ts';

export class ProvisionDatabase {
  readonly #metadata: MetadataDatabase;
  readonly #databases: OrganizationDatabases;
  readonly #ledger: DatabaseLedger;

  constructor(metadata: MetadataDatabase, databases: OrganizationDatabases, ledger: DatabaseLedger) {
    this.#metadata = metadata;
    this.#databases = databases;
    this.#ledger = ledger;
  }

  /**
   * Makes the organization's database, or finds it ready.
   *
   * @throws {OrganizationNotFoundError}
   * @throws {DatabaseProvisioningError}
   * @throws {DatabaseConnectionError} when it was ready, and is missing or another one on the server
   */
  async execute(actor: Actor, organizationId: OrganizationId): Promise<DatabaseView> {
    await this.#databases.provision(organizationId);
    const record = await this.#ledger.find(organizationId);
    if (record === null) throw new OrganizationDatabaseNotFoundError();
    await this.#metadata.auditLog.append({
      organizationId,
      action: 'database.provision_requested',
      entityType: 'database',
      entityId: record.databaseName,
      details: { state: record.state },
      ...causedBy(actor),
    });
    return viewDatabase(record, this.#databases);
  }
}
