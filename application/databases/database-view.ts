import type { DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { OrganizationDatabases, PoolSnapshot } from '../ports/databases/organization-databases.ts';

/** What an operator sees of a results database: the ledger's record and this process's pool, if it has one. */
export interface DatabaseView {
  readonly record: DatabaseRecord;
  readonly pool: PoolSnapshot | null;
}

export const viewDatabase = (record: DatabaseRecord, databases: OrganizationDatabases): DatabaseView => ({
  record,
  pool: databases.peek(record.organizationId),
});
