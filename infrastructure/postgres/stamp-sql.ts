/** The stamp of the database that a connection is in, and the one row that it goes with. 1262 is `pg_database`, always. */
export const IDENTITY = `(
  select description from pg_shdescription where classoid = 1262 and objoid = pg_database.oid
)`;
export const OF_THIS_DATABASE = 'from pg_database where datname = current_database()';

/**
 * Reads the stamp of the database that a connection is in; one round trip. Spelled out, as every new connection pays
 * for it: `shobj_description` is a function that the server plans each time, and a name has to be looked up.
 */
export const READ_IDENTITY = `select ${IDENTITY} as identity ${OF_THIS_DATABASE}`;
