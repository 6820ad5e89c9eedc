import type { PgConnection } from './pg-connection.ts';
import { isCatalogueConflict, SqlState, sqlStateOf } from './postgres-errors.ts';
import { identifier } from './quoting.ts';

/** Versions as PostgreSQL numbers them. */
const FIRST_WITH_PROVIDERS = 150_000;
const FIRST_WITH_BUILTIN_LOCALE = 170_000;

/**
 * What every new database is made of, whatever the server's own settings are. `template0` is empty, nobody can be
 * connected to it, and it alone can be given another encoding. The order of texts is that of their code points on every
 * version. Before 17 only ASCII letters have upper and lower case there.
 *
 * @returns the options of `create database`
 */
export const newDatabaseOptions = (serverVersion: number): string => {
  const options = `template=template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`;
  if (serverVersion < FIRST_WITH_PROVIDERS) return options;
  return serverVersion < FIRST_WITH_BUILTIN_LOCALE
    ? `${options} locale_provider libc`
    : `${options} locale_provider builtin builtin_locale 'C.UTF-8'`;
};

/**
 * Makes an empty database that only its owner may connect to. Nobody connects before the right is taken from PUBLIC: a
 * session that got in earlier would stay. Safe to call concurrently; finishes what an earlier call left.
 *
 * @returns false when there was one of this name
 */
export const createDatabase = async (connection: PgConnection, name: string): Promise<boolean> => {
  const [server] = await connection.query<{ version: number }>({
    text: `select current_setting('server_version_num')::int as version`,
    values: [],
  });
  const isNew = await unlessPresent(() =>
    connection.execute(
      `create database ${identifier(name)} ${newDatabaseOptions(server?.version ?? 0)} allow_connections false`,
    ),
  );
  await changeDatabase(connection, {
    name,
    // One that was finished has an ACL, and who closed it later has a reason.
    unless: 'datacl is not null',
    change: () => openToOwner(connection, name),
  });
  return isNew;
};

interface DatabaseChange {
  readonly name: string;
  /** SQL condition on a row of `pg_database`: there is nothing to change. */
  readonly unless: string;
  readonly change: () => Promise<void>;
}

/** Changes a database unless that was done. Several processes may be at it at once: the first one does it for all. */
export const changeDatabase = async (
  connection: PgConnection,
  { name, unless, change }: DatabaseChange,
): Promise<void> => {
  for (;;) {
    const open = await connection.query<object>({
      text: `select from pg_database where datname = $1 and not (${unless})`,
      values: [name],
    });
    if (open.length === 0) return;
    try {
      await change();
      return;
    } catch (error) {
      // Somebody else's change was committed: another look sees it.
      if (!isCatalogueConflict(error)) throw error;
    }
  }
};

/** Lets the owner connect to a database, and nobody else without a right of their own. */
export const openToOwner = async (connection: PgConnection, name: string): Promise<void> => {
  await connection.execute(
    `${closeToPublic(name)};
     alter database ${identifier(name)} with allow_connections true`,
  );
};

/**
 * Takes what PUBLIC may do in a database by default: connect and make temporary tables. Organizations' roles are PUBLIC
 * like everybody else.
 */
export const closeToPublic = (name: string): string =>
  `revoke all on database ${identifier(name)} from public`;

/** Returns false when another caller has created it. */
export const unlessPresent = async (create: () => Promise<unknown>): Promise<boolean> => {
  try {
    await create();
    return true;
  } catch (error) {
    const sqlState = sqlStateOf(error);
    // Overlapping creators get the unique violation of the catalogue's index rather than the fitting state.
    if (sqlState === null || !ALREADY_THERE.has(sqlState)) throw error;
    return false;
  }
};

const ALREADY_THERE: ReadonlySet<string> = new Set([
  SqlState.duplicateDatabase,
  SqlState.duplicateObject,
  SqlState.uniqueViolation,
]);
