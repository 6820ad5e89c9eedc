import { ContainerModule } from 'inversify';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { Config } from '../config/config.ts';
import { ConnectionBudget } from '../database/connection-budget.ts';
import { ConnectionPool } from '../database/connection-pool.ts';
import { Connector } from '../database/connector.ts';
import { DatabaseConnectionManager } from '../database/database-connection-manager.ts';
import { ServerProbe } from '../database/server-probe.ts';
import { resultsDatabaseBuilder } from './observed-databases.ts';
import { TOKENS } from './tokens.ts';

/** Clones gain nothing beyond two at a time; a third session keeps quick claims from queueing behind two of them. */
const ADMIN_SESSIONS = 3;
const ADMIN_ACQUIRE_TIMEOUT_MS = 60_000;
const DRAIN_TIMEOUT_MS = 20_000;

const metadataPool = ({ database }: Config, connector: Connector): ConnectionPool =>
  new ConnectionPool({
    databaseName: database.metadataUrl.database,
    connect: () => connector.toMetadata(database.metadataUrl),
    ...database.metadataPool,
    acquireTimeoutMs: database.acquireTimeoutMs,
    timeoutError: () => new DatabaseConnectionError('All connections to the metadata database are in use.'),
    budget: new ConnectionBudget(Infinity),
  });

const adminPool = (connector: Connector): ConnectionPool =>
  new ConnectionPool({
    databaseName: 'postgres',
    connect: () => connector.toResultsServer(),
    size: ADMIN_SESSIONS,
    maxOverflow: 0,
    acquireTimeoutMs: ADMIN_ACQUIRE_TIMEOUT_MS,
    timeoutError: () => new DatabaseConnectionError('Too many databases are being made at once.'),
    budget: new ConnectionBudget(Infinity),
  });

export const databaseModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.connector)
    .toResolvedValue(
      ({ database }, logins, logger) => new Connector(database, database.resultsTemplate, logins, logger),
      [TOKENS.config, TOKENS.organizationLogins, TOKENS.logger],
    )
    .inSingletonScope();
  bind(TOKENS.connectionBudget)
    .toResolvedValue(({ database }) => new ConnectionBudget(database.connectionBudget), [TOKENS.config])
    .inSingletonScope();
  bind(TOKENS.metadataPool)
    .toResolvedValue(metadataPool, [TOKENS.config, TOKENS.connector])
    .inSingletonScope();
  bind(TOKENS.adminPool).toResolvedValue(adminPool, [TOKENS.connector]).inSingletonScope();
  bind(TOKENS.connectionManager)
    .toResolvedValue(
      (config, connector, pool, provisioner, budget, logger, admin, carrier) => {
        const { database } = config;
        return new DatabaseConnectionManager(
          { ...database, drainTimeoutMs: DRAIN_TIMEOUT_MS },
          {
            metadataPool: pool,
            adminPool: admin,
            provisioner,
            budget,
            connect: (placement) => connector.toOrganization(placement),
            buildResultsDatabase: resultsDatabaseBuilder(config, carrier, logger),
            metadataProbe: new ServerProbe(() => connector.toMetadata(database.metadataUrl)),
            resultsProbe: new ServerProbe(() => connector.toResultsServer()),
            logger,
          },
        );
      },
      [
        TOKENS.config,
        TOKENS.connector,
        TOKENS.metadataPool,
        TOKENS.provisioner,
        TOKENS.connectionBudget,
        TOKENS.logger,
        TOKENS.adminPool,
        TOKENS.auditCarrier,
      ],
    )
    .inSingletonScope()
    // Closing is safe to repeat: a container that is torn down leaves no connection, whatever came before.
    .onDeactivation((manager) => manager.closeAll());
});
