/**
 * Together these read the stamp of the current database. They join the catalogue directly because every new connection
 * runs them: the server would have to plan the function `shobj_description`, and look its name up. 1262 is the fixed oid
 * of `pg_database`.
 */
export const IDENTITY = `(
  select description from pg_shdescription where classoid = 1262 and objoid = pg_database.oid
)`;
export const OF_THIS_DATABASE = 'from pg_database where datname = current_database()';
