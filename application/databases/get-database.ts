import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { OrganizationDatabaseNotFoundError } from '../../domain/databases/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { DatabaseLedger } from '../ports/databases/database-ledger.ts';
import type { OrganizationDatabases } from '../ports/databases/organization-databases.ts';
import { viewDatabase, type DatabaseView } from './database-view.ts';

export class GetDatabase {
  readonly #ledger: DatabaseLedger;
  readonly #databases: OrganizationDatabases;

  constructor(ledger: DatabaseLedger, databases: OrganizationDatabases) {
    this.#ledger = ledger;
    this.#databases = databases;
  }

  /**
   * @throws {OrganizationNotFoundError}
   * @throws {OrganizationDatabaseNotFoundError} when it has not been used yet
   */
  async execute(organizationId: OrganizationId): Promise<DatabaseView> {
    const found = await this.#ledger.findForAccess(organizationId);
    if (found === null) throw new OrganizationNotFoundError();
    if (found.record === null) throw new OrganizationDatabaseNotFoundError();
    return viewDatabase(found.record, this.#databases);
  }
}
