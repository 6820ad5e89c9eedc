import { ConnectionName } from './connection-names.ts';
import type { DatabaseUrl } from './database-url.ts';
import { PgConnection } from './pg-connection.ts';
import { SqlState, sqlStateOf } from './postgres-errors.ts';
import { identifier } from './quoting.ts';

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
    await connection.close();
    return false;
  } catch (error) {
    if (sqlStateOf(error) !== SqlState.invalidCatalogName) throw error;
  }
  const admin = await open(url.withDatabase('postgres'));
  try {
    await admin.execute(`create database ${identifier(url.database)}`);
    // The same server may hold the organizations' roles. They must not log in here.
    await admin.execute(`revoke all on database ${identifier(url.database)} from public`);
    return true;
  } catch (error) {
    const sqlState = sqlStateOf(error);
    if (sqlState !== SqlState.duplicateDatabase && sqlState !== SqlState.uniqueViolation) throw error;
    return false;
  } finally {
    await admin.close();
  }
};
