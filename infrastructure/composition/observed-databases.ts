import { logOperations } from '../../adapters/knex/logged-database.ts';
import { KnexResultsDatabase } from '../../adapters/knex/results/knex-results-database.ts';
import type { SqlDatabase } from '../../adapters/knex/statement.ts';
import { WatchedDatabase } from '../../adapters/knex/watched-database.ts';
import type { WriteWatcher } from '../../application/ports/audit/write-watcher.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import type { Config } from '../config/config.ts';
import type { ConnectionPool } from '../pools/connection-pool.ts';
import { PooledDatabase } from '../pools/pooled-database.ts';

/** Whether every operation leaves a line; then also what else is logged on a request's way is put under its id. */
export const logsOperations = ({ logLevel }: Config): boolean => logLevel === 'debug' || logLevel === 'trace';

/** Statements over the pool, with a line for each operation when somebody wants to read them. */
export const observedMetadata = (pool: ConnectionPool, config: Config, logger: Logger): SqlDatabase => {
  const database = new PooledDatabase(pool);
  return logsOperations(config) ? logOperations(database, logger, { database: pool.databaseName }) : database;
};

/** What makes an organization's repositories for one lease. */
export const resultsDatabaseBuilder =
  (config: Config, watcher: WriteWatcher, logger: Logger) =>
  (database: PooledDatabase, placement: Placement): ResultsDatabase => {
    const observed = logsOperations(config)
      ? logOperations(database, logger, {
          database: placement.databaseName,
          server: placement.serverId,
          org_id: placement.organizationId,
        })
      : database;
    return new KnexResultsDatabase(new WatchedDatabase(observed, placement.organizationId, watcher));
  };
