/** Together these read the stamp of the current database. 1262 is the fixed oid of `pg_database`. */
export const IDENTITY = `(
  select description from pg_shdescription where classoid = 1262 and objoid = pg_database.oid
)`;
export const OF_THIS_DATABASE = 'from pg_database where datname = current_database()';

/**
 * Reads the stamp of the current database, as `identity`. It joins the catalogue directly because every new connection
 * runs it: the server would have to plan the function `shobj_description`, and look its name up.
 */
export const READ_IDENTITY = `select ${IDENTITY} as identity ${OF_THIS_DATABASE}`;
