import { randomUUID } from 'node:crypto';
import { ContainerModule } from 'inversify';
import { KnexInstanceLedger } from '../../adapters/knex/metadata/knex-instance-ledger.ts';
import { KnexServerLedger } from '../../adapters/knex/metadata/knex-server-ledger.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { PlacementWatch } from '../changes/placement-watch.ts';
import { resultsMigrations } from '../migrations/migration-source.ts';
import { CircuitBreaker } from '../pools/circuit-breaker.ts';
import { ConnectionBudget } from '../pools/connection-budget.ts';
import { ConnectionPool } from '../pools/connection-pool.ts';
import { MetadataConnector } from '../postgres/metadata-connector.ts';
import { DatabaseConnectionManager } from '../routing/database-connection-manager.ts';
import { DatabaseHealthCheck } from '../routing/database-health.ts';
import { ControlConnection } from '../servers/control-connection.ts';
import { KnownClusters } from '../servers/known-clusters.ts';
import { ResultsServer, SERVER_BREAKER } from '../servers/results-server.ts';
import { ResultsServers } from '../servers/results-servers.ts';
import { observedMetadata, resultsDatabaseBuilder } from './observed-databases.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

/** The part of a stop's time in which running requests may keep their pools. The phase of the pools has more. */
const DRAIN_PART = 0.1;

/** The metadata database, the servers of results databases, and the way from an organization to its database. */
export const databaseModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.metadataBreaker).toConstantValue(new CircuitBreaker(SERVER_BREAKER));
  bind(TOKENS.resultsMigrations).toConstantValue(resultsMigrations);
  bind(TOKENS.instanceId).toConstantValue(randomUUID());
  bind(TOKENS.adminStatements).toConstantValue(null);
  bindSingleton(
    bind,
    TOKENS.metadataConnector,
    { config: TOKENS.config },
    ({ config }) => new MetadataConnector(config.database),
  );
  bindSingleton(
    bind,
    TOKENS.metadataControl,
    { connector: TOKENS.metadataConnector },
    ({ connector }) => new ControlConnection(() => connector.toMetadata()),
  );
  bindSingleton(
    bind,
    TOKENS.metadataPool,
    {
      config: TOKENS.config,
      connector: TOKENS.metadataConnector,
      serverBreaker: TOKENS.metadataBreaker,
      metrics: TOKENS.metrics,
    },
    ({ config: { database }, connector, serverBreaker, metrics }) =>
      new ConnectionPool({
        databaseName: database.metadataUrl.database,
        connect: () => connector.toMetadata(),
        ...database.metadataPool,
        acquireTimeoutMs: database.acquireTimeoutMs,
        maxWaiting: Infinity,
        noPlaceError: (_limit, retryAfterMs) =>
          new DatabaseConnectionError(
            'All connections to the metadata database are in use.',
            undefined,
            retryAfterMs,
          ),
        budget: new ConnectionBudget(Infinity),
        serverBreaker,
        metrics: metrics.ofDatabases('metadata'),
      }),
  );
  bindSingleton(
    bind,
    TOKENS.metadataSql,
    { pool: TOKENS.metadataPool, config: TOKENS.config, logger: TOKENS.logger },
    ({ pool, config, logger }) => observedMetadata(pool, config, logger),
  );
  bindSingleton(
    bind,
    TOKENS.serverLedger,
    { database: TOKENS.metadataSql },
    ({ database }) => new KnexServerLedger(database),
  );
  bindSingleton(
    bind,
    TOKENS.servers,
    {
      config: TOKENS.config,
      instanceId: TOKENS.instanceId,
      metadataControl: TOKENS.metadataControl,
      metadataBreaker: TOKENS.metadataBreaker,
      ledger: TOKENS.serverLedger,
      spares: TOKENS.spareLedger,
      deployment: TOKENS.deployment,
      migrations: TOKENS.resultsMigrations,
      adminStatements: TOKENS.adminStatements,
      logger: TOKENS.logger,
    },
    ({ config: { database }, metadataControl, ...deps }) => {
      const instances = new KnexInstanceLedger(metadataControl);
      const clusters = new KnownClusters(database.servers.map(({ serverId }) => serverId));
      return new ResultsServers(
        database.servers.map(
          (server) => new ResultsServer({ ...database, ...server }, { ...deps, instances, clusters }),
        ),
      );
    },
  );
  bindSingleton(
    bind,
    TOKENS.connectionManager,
    {
      config: TOKENS.config,
      metadataPool: TOKENS.metadataPool,
      metadataControl: TOKENS.metadataControl,
      servers: TOKENS.servers,
      provisioning: TOKENS.provisioning,
      policies: TOKENS.organizationPolicies,
      schemaGuard: TOKENS.schemaGuard,
      logger: TOKENS.logger,
      watcher: TOKENS.writeAnnouncements,
      feed: TOKENS.changeFeed,
      metrics: TOKENS.metrics,
    },
    ({ config, watcher, feed, metrics, ...deps }) => {
      const manager = new DatabaseConnectionManager(
        { ...config.database, drainTimeoutMs: DRAIN_PART * config.shutdown.timeoutMs },
        {
          ...deps,
          buildResultsDatabase: resultsDatabaseBuilder(config, watcher, deps.logger),
          metricsOf: (serverId) => metrics.ofDatabases(serverId),
        },
      );
      feed.subscribe(new PlacementWatch(manager));
      return manager;
    },
  );
  bindSingleton(
    bind,
    TOKENS.databaseHealth,
    {
      manager: TOKENS.connectionManager,
      servers: TOKENS.servers,
      metadataControl: TOKENS.metadataControl,
    },
    (deps) => new DatabaseHealthCheck(deps),
  );
});
