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
