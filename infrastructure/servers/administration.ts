import { createDatabase } from '../postgres/new-database.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';

/** Where administrators' sessions were before they had a database of their own. Everybody may connect to it. */
const ADMINISTRATION_BEFORE = 'postgres';

/**
 * Opens an administrator's session in a database that only the service may connect to. Advisory locks belong to a
 * database: in one that organizations' roles can reach, they could take the service's locks. The first session makes the
 * database. A login that may make none is let into `postgres`: what needs a lock there fails for lack of that right.
 */
export const openAdministration = async (
  databaseName: string,
  connect: (databaseName: string) => Promise<PgConnection>,
): Promise<PgConnection> => {
  try {
    return await connect(databaseName);
  } catch (error) {
    const sqlState = sqlStateOf(error);
    // It takes no connections while another process makes it, and when that process died meanwhile.
    if (sqlState !== SqlState.invalidCatalogName && sqlState !== SqlState.notAccepting) throw error;
  }
  const connection = await connect(ADMINISTRATION_BEFORE);
  try {
    await createDatabase(connection, databaseName);
  } catch (error) {
    if (sqlStateOf(error) === SqlState.insufficientPrivilege) return connection;
    await connection.close();
    throw error;
  }
  await connection.close();
  return connect(databaseName);
};
