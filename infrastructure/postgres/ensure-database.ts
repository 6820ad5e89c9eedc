import { ConnectionName } from './connection-names.ts';
import type { DatabaseUrl } from './database-url.ts';
import { changeDatabase, closeToPublic, createDatabase } from './new-database.ts';
import { PgConnection } from './pg-connection.ts';
import { SqlState, sqlStateOf } from './postgres-errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;

const open = (url: DatabaseUrl): Promise<PgConnection> =>
  PgConnection.open({
    url,
    applicationName: ConnectionName.admin,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  });

/**
 * Creates an empty database unless it exists. Safe to call concurrently. Rejects with the server's error.
 *
 * @returns whether this call created it
 */
export const ensureDatabase = async (url: DatabaseUrl): Promise<boolean> => {
  try {
    const connection = await open(url);
    try {
      await closeOwnToPublic(connection, url.database);
    } finally {
      await connection.close();
    }
    return false;
  } catch (error) {
    const sqlState = sqlStateOf(error);
    // It takes no connections while another process makes it, and when that process died meanwhile.
    if (sqlState !== SqlState.invalidCatalogName && sqlState !== SqlState.notAccepting) throw error;
  }
  const admin = await open(url.withDatabase('postgres'));
  try {
    return await createDatabase(admin, url.database);
  } finally {
    await admin.close();
  }
};

/** The same server may hold the organizations' roles, and an operator may have made the database. */
const closeOwnToPublic = (connection: PgConnection, name: string): Promise<void> =>
  changeDatabase(connection, {
    name,
    unless: `not (pg_has_role(datdba, 'usage') and has_database_privilege('public', oid, 'connect'))`,
    change: async () => void (await connection.execute(closeToPublic(name))),
  });
