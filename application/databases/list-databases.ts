import type { Page, PageRequest } from '../../domain/page.ts';
import type { DatabaseState } from '../../domain/databases/results-database.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { viewDatabase, type DatabaseView } from './database-view.ts';
import type { Ports } from '../ports/ports.ts';

/** In the order of the organization ids; opens nothing. */
export const listDatabases =
  ({ ledger, databases }: Pick<Ports, 'ledger' | 'databases'>) =>
  async (
    filter: { readonly state: DatabaseState | null; readonly serverId: ServerId | null },
    page: PageRequest<string>,
  ): Promise<Page<DatabaseView, string>> => {
    const { items, next } = await ledger.list(filter, page);
    return { items: items.map((record) => viewDatabase(record, databases)), next };
  };
