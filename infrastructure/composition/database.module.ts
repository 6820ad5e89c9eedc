import { randomUUID } from 'node:crypto';
import { ContainerModule } from 'inversify';
import { KnexInstanceLedger } from '../../adapters/knex/metadata/knex-instance-ledger.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { Config } from '../config/config.ts';
import { CircuitBreaker } from '../pools/circuit-breaker.ts';
import { ConnectionBudget } from '../pools/connection-budget.ts';
import { ConnectionPool } from '../pools/connection-pool.ts';
import { Connector } from '../servers/connector.ts';
import { DatabaseConnectionManager } from '../routing/database-connection-manager.ts';
import { ConnectionShare } from '../servers/connection-share.ts';
import { PooledDatabase } from '../pools/pooled-database.ts';
import { ControlConnection } from '../servers/control-connection.ts';
import { observedMetadata, resultsDatabaseBuilder } from './observed-databases.ts';
import { TOKENS } from './tokens.ts';

/** One clones at a time (see `SerialQueue`); the others claim spares meanwhile, or wait for their turn. */
const ADMIN_SESSIONS = 3;
const ADMIN_ACQUIRE_TIMEOUT_MS = 60_000;
const DRAIN_TIMEOUT_MS = 20_000;

/** A server is asked twice a second by its probe: one silence may be an accident. */
const SERVER_BREAKER = { threshold: 2, minDelayMs: 250, maxDelayMs: 5000 };

const metadataPool = (
  { database }: Config,
  connector: Connector,
  serverBreaker: CircuitBreaker,
): ConnectionPool =>
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
  });

const adminPool = (connector: Connector, serverBreaker: CircuitBreaker): ConnectionPool =>
  new ConnectionPool({
    databaseName: 'postgres',
    connect: () => connector.toResultsServer(),
    size: ADMIN_SESSIONS,
    maxOverflow: 0,
    acquireTimeoutMs: ADMIN_ACQUIRE_TIMEOUT_MS,
    maxWaiting: Infinity,
    noPlaceError: () => new DatabaseConnectionError('Too many databases are being made at once.'),
    budget: new ConnectionBudget(Infinity),
    serverBreaker,
  });

export const databaseModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.instanceId).toConstantValue(randomUUID());
  bind(TOKENS.metadataBreaker).toConstantValue(new CircuitBreaker(SERVER_BREAKER));
  bind(TOKENS.resultsBreaker).toConstantValue(new CircuitBreaker(SERVER_BREAKER));
  bind(TOKENS.connector)
    .toResolvedValue(
      ({ database }, instanceId, logins, logger) =>
        new Connector({ ...database, instanceId }, database.resultsTemplate, logins, logger),
      [TOKENS.config, TOKENS.instanceId, TOKENS.organizationLogins, TOKENS.logger],
    )
    .inSingletonScope();
  bind(TOKENS.metadataControl)
    .toResolvedValue((connector) => new ControlConnection(() => connector.toMetadata()), [TOKENS.connector])
    .inSingletonScope();
  bind(TOKENS.resultsControl)
    .toResolvedValue((connector) => new ControlConnection(() => connector.toPresence()), [TOKENS.connector])
    .inSingletonScope();
  bind(TOKENS.connectionBudget)
    .toResolvedValue(({ database }) => new ConnectionBudget(database.connectionBudget), [TOKENS.config])
    .inSingletonScope();
  bind(TOKENS.connectionShare)
    .toResolvedValue(
      (
        { database },
        instanceId,
        budget,
        metadataControl,
        resultsControl,
        resultsBreaker,
        metadataBreaker,
        logger,
      ) =>
        new ConnectionShare({
          instanceId,
          deploymentBudget: database.connectionBudget,
          budget,
          ledger: new KnexInstanceLedger(metadataControl),
          resultsControl,
          resultsBreaker,
          metadataBreaker,
          logger,
        }),
      [
        TOKENS.config,
        TOKENS.instanceId,
        TOKENS.connectionBudget,
        TOKENS.metadataControl,
        TOKENS.resultsControl,
        TOKENS.resultsBreaker,
        TOKENS.metadataBreaker,
        TOKENS.logger,
      ],
    )
    .inSingletonScope();
  bind(TOKENS.metadataPool)
    .toResolvedValue(metadataPool, [TOKENS.config, TOKENS.connector, TOKENS.metadataBreaker])
    .inSingletonScope();
  bind(TOKENS.metadataSql)
    .toResolvedValue(observedMetadata, [TOKENS.metadataPool, TOKENS.config, TOKENS.logger])
    .inSingletonScope();
  bind(TOKENS.adminPool)
    .toResolvedValue(adminPool, [TOKENS.connector, TOKENS.resultsBreaker])
    .inSingletonScope();
  bind(TOKENS.adminSql)
    .toResolvedValue((pool) => new PooledDatabase(pool), [TOKENS.adminPool])
    .inSingletonScope();
  bind(TOKENS.connectionManager)
    .toResolvedValue(
      (
        config,
        connector,
        pool,
        admin,
        provisioner,
        budget,
        metadataControl,
        resultsControl,
        serverBreaker,
        share,
        policies,
        schemaGuard,
        logger,
        watcher,
      ) =>
        new DatabaseConnectionManager(
          { ...config.database, drainTimeoutMs: DRAIN_TIMEOUT_MS },
          {
            metadataPool: pool,
            adminPool: admin,
            provisioner,
            budget,
            connect: (placement, policy, arrived) => connector.toOrganization(placement, policy, arrived),
            policies,
            schemaGuard,
            buildResultsDatabase: resultsDatabaseBuilder(config, watcher, logger),
            metadataControl,
            resultsControl,
            serverBreaker,
            share,
            logger,
          },
        ),
      [
        TOKENS.config,
        TOKENS.connector,
        TOKENS.metadataPool,
        TOKENS.adminPool,
        TOKENS.provisioner,
        TOKENS.connectionBudget,
        TOKENS.metadataControl,
        TOKENS.resultsControl,
        TOKENS.resultsBreaker,
        TOKENS.connectionShare,
        TOKENS.organizationPolicies,
        TOKENS.schemaGuard,
        TOKENS.logger,
        TOKENS.writeAnnouncements,
      ],
    )
    .inSingletonScope()
    // Closing is safe to repeat: a container that is torn down leaves no connection, whatever came before.
    .onDeactivation((manager) => manager.closeAll());
});
