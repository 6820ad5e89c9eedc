/** What connections are called in `pg_stat_activity`, for operators and for the other processes of the deployment. */
export const ConnectionName = {
  metadata: 'mad metadata',
  changes: 'mad changes',
  /** Makes, clones and drops databases. */
  admin: 'mad admin',
  /** Migrates before anybody is served. */
  migrations: 'mad migrations',
  knexCommand: 'mad knex',
} as const;

/** The one connection by which a process shows that it lives. */
export const presenceName = (instanceId: string): string => `mad presence ${shortId(instanceId)}`;

/** Those that count against the budget: of requests, and of a fleet migration. */
export const resultsConnectionName = (instanceId: string): string => `mad results ${shortId(instanceId)}`;
export const migrationConnectionName = (instanceId: string): string => `mad migrate ${shortId(instanceId)}`;

const shortId = (instanceId: string): string => instanceId.replaceAll('-', '').slice(0, 16);

/** What PostgreSQL keeps of a name. */
const MAX_LENGTH = 63;

/**
 * What a connection is called where the database URL has an `application_name`: that comes first, and the service's own
 * name behind it, by which the processes of a deployment know each other's. In ASCII: the server writes out every other
 * byte in four characters, and what it then cuts off is the service's name.
 */
export const nameBehind = (given: string | undefined, name: string): string => {
  if (given === undefined || given === '') return name;
  const suffix = `: ${name}`;
  return given.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_LENGTH - suffix.length) + suffix;
};

/** Of a session `a` in `pg_stat_activity`, in SQL: whether it has that name, whatever stands before it. */
export const isNamed = (name: string): string =>
  `(a.application_name = ${name} or a.application_name like '%: ' || ${name})`;
