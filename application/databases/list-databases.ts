import type { Page, PageRequest } from '../../domain/page.ts';
import type { DatabaseLedger } from '../ports/databases/database-ledger.ts';
import type { DatabaseState } from '../../domain/databases/results-database.ts';
import type { OrganizationDatabases } from '../ports/databases/organization-databases.ts';
import { viewDatabase, type DatabaseView } from './database-view.ts';

export class ListDatabases {
  readonly #ledger: DatabaseLedger;
  readonly #databases: OrganizationDatabases;

  constructor(ledger: DatabaseLedger, databases: OrganizationDatabases) {
    this.#ledger = ledger;
    this.#databases = databases;
  }

  /** In the order of the organization ids; opens nothing. */
  async execute(
    filter: { readonly state: DatabaseState | null },
    page: PageRequest<string>,
  ): Promise<Page<DatabaseView, string>> {
    const { items, next } = await this.#ledger.list(filter, page);
    return { items: items.map((record) => viewDatabase(record, this.#databases)), next };
  }
}
