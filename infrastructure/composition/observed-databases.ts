import { logOperations } from '../../adapters/knex/logged-database.ts';
import { createResultsDatabase } from '../../adapters/knex/results/knex-results-database.ts';
import type { SqlDatabase } from '../../adapters/knex/statement.ts';
import { watchWrites } from '../../adapters/knex/watched-database.ts';
import type { Logger } from '../../application/ports/logger.ts';
import type { ResultsDatabase } from '../../application/ports/results-database.ts';
import type { Config } from '../config/config.ts';
import type { ConnectionPool } from '../database/connection-pool.ts';
import type { AuditCarrier } from '../lifecycle/audit-carrier.ts';

const logsOperations = ({ logLevel }: Config): boolean => logLevel === 'debug' || logLevel === 'trace';

/** The pool, with a line for every operation when somebody wants to read them. */
export const observedMetadata = (pool: ConnectionPool, config: Config, logger: Logger): SqlDatabase =>
  logsOperations(config) ? logOperations(pool, logger, { database: pool.databaseName }) : pool;

/** What makes an organization's repositories over its pool. */
export const resultsDatabaseBuilder =
  (config: Config, carrier: AuditCarrier, logger: Logger) =>
  (pool: ConnectionPool): ResultsDatabase => {
    const organizationId = config.database.resultsTemplate.organizationIdOf(pool.databaseName);
    if (organizationId === null) return createResultsDatabase(pool);
    const fields = { database: pool.databaseName, org_id: organizationId };
    const observed = logsOperations(config) ? logOperations(pool, logger, fields) : pool;
    return createResultsDatabase(watchWrites(observed, carrier.watcherFor(organizationId)));
  };
