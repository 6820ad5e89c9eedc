/** Application names in `pg_stat_activity`. Operators and other processes of the deployment read them. */
export const ConnectionName = {
  metadata: 'mad metadata',
  changes: 'mad changes',
  /** Makes, clones and drops databases. */
  admin: 'mad admin',
  /** Migrates before the process serves requests. */
  migrations: 'mad migrations',
  /** Finds out which of several servers is the primary. */
  survey: 'mad survey',
  knexCommand: 'mad knex',
  /** Checks whether an embedded server accepts connections. */
  embeddedStart: 'mad start',
} as const;

/** Names the one connection that proves that a process is alive. */
export const presenceName = (instanceId: string): string => `mad presence ${shortId(instanceId)}`;

/** These two name connections that count against the budget: those of requests, and those of a fleet migration. */
export const resultsConnectionName = (instanceId: string): string => `mad results ${shortId(instanceId)}`;
export const migrationConnectionName = (instanceId: string): string => `mad migrate ${shortId(instanceId)}`;

const shortId = (instanceId: string): string => instanceId.replaceAll('-', '').slice(0, 16);

/** PostgreSQL cuts longer names (NAMEDATALEN - 1 bytes). */
const MAX_LENGTH = 63;

/**
 * Puts the `application_name` of a database URL before the service's name: `<given>: <name>`. Other processes
 * recognize the service's name at the end, so a long prefix is cut instead. The prefix becomes ASCII: the server
 * escapes every other byte as four characters, and would then cut the end.
 */
export const applicationNameOf = (given: string | undefined, name: string): string => {
  if (given === undefined || given === '') return name;
  const suffix = `: ${name}`;
  return given.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_LENGTH - suffix.length) + suffix;
};

/**
 * SQL condition: the session `a` of `pg_stat_activity` has this name, with or without a prefix.
 *
 * @param name an SQL expression
 */
export const isNamed = (name: string): string =>
  `(a.application_name = ${name} or a.application_name like '%: ' || ${name})`;
