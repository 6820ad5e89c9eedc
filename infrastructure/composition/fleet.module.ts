import { ContainerModule } from 'inversify';
import { KnexFleetLedger } from '../../adapters/knex/metadata/knex-fleet-ledger.ts';
import { fleetOperator } from '../../application/fleet/fleet-operator.ts';
import { traceMigrations } from '../../application/fleet/trace-migrations.ts';
import { findServedRun, serveRun } from '../../application/fleet/serve-run.ts';
import { steerFleet } from '../../application/fleet/steer-over-http.ts';
import { RunServer } from '../background/run-server.ts';
import { RUNNER_DEFAULTS } from '../../application/fleet/fleet-ports.ts';
import { PgDatabaseMigrator } from '../fleet/pg-database-migrator.ts';
import { PgFleetChecks } from '../fleet/pg-fleet-checks.ts';
import { windowOf } from '../migrations/schema-window.ts';
import { migrationConnectionName } from '../postgres/connection-names.ts';
import { SchemaGuard } from '../routing/schema-guard.ts';
import { once } from '../timing/once.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

/** Migrations of all organizations' databases. */
export const fleetModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.schemaWindow,
    { migrations: TOKENS.resultsMigrations },
    ({ migrations }) =>
      async () =>
        windowOf((await migrations.getMigrations()).length),
  );
  bindSingleton(
    bind,
    TOKENS.schemaGuard,
    { window: TOKENS.schemaWindow, ledger: TOKENS.fleetLedger, logger: TOKENS.logger },
    ({ window, ...deps }) => new SchemaGuard({ ...deps, window: once(window) }),
  );
  bindSingleton(
    bind,
    TOKENS.fleetLedger,
    { database: TOKENS.metadataSql },
    ({ database }) => new KnexFleetLedger(database),
  );
  bindSingleton(
    bind,
    TOKENS.databaseMigrator,
    {
      config: TOKENS.config,
      migrations: TOKENS.resultsMigrations,
      servers: TOKENS.servers,
      deployment: TOKENS.deployment,
      instanceId: TOKENS.instanceId,
    },
    ({ config: { database }, instanceId, ...deps }) =>
      new PgDatabaseMigrator({
        ...deps,
        applicationName: migrationConnectionName(instanceId),
        timeouts: {
          connectMs: database.connectTimeoutMs,
          statementMs: database.migration.statementTimeoutMs,
          lockMs: database.migration.lockTimeoutMs,
        },
      }),
  );
  bind(TOKENS.fleetRunnerSettings).toConstantValue(RUNNER_DEFAULTS);
  bindSingleton(
    bind,
    TOKENS.fleetOperator,
    {
      ledger: TOKENS.fleetLedger,
      migrator: TOKENS.databaseMigrator,
      servers: TOKENS.servers,
      settings: TOKENS.fleetRunnerSettings,
    },
    (ports) => fleetOperator(ports),
  );
  bindSingleton(
    bind,
    TOKENS.runServer,
    {
      ledger: TOKENS.fleetLedger,
      migrator: TOKENS.databaseMigrator,
      servers: TOKENS.servers,
      settings: TOKENS.fleetRunnerSettings,
      config: TOKENS.config,
      tracing: TOKENS.tracing,
      logger: TOKENS.logger,
    },
    ({ config, tracing, logger, ...fleet }) =>
      new RunServer({
        find: findServedRun(fleet),
        serve: serveRun(
          tracing === null ? fleet : { ...fleet, migrator: traceMigrations(fleet.migrator, tracing) },
        ),
        concurrency: config.database.migration.concurrency,
        logger,
      }),
  );
  bindSingleton(
    bind,
    TOKENS.fleetSteering,
    {
      ledger: TOKENS.fleetLedger,
      migrator: TOKENS.databaseMigrator,
      servers: TOKENS.servers,
      settings: TOKENS.fleetRunnerSettings,
      metadata: TOKENS.metadataDatabase,
      runServer: TOKENS.runServer,
    },
    ({ runServer, ...fleet }) => steerFleet({ ...fleet, kick: () => runServer.kick() }),
  );
  bindSingleton(
    bind,
    TOKENS.fleetChecks,
    {
      config: TOKENS.config,
      ledger: TOKENS.databaseLedger,
      servers: TOKENS.servers,
      migrations: TOKENS.resultsMigrations,
      migrator: TOKENS.databaseMigrator,
      deployment: TOKENS.deployment,
    },
    ({ config, ...deps }) =>
      new PgFleetChecks({ ...deps, concurrency: config.database.migration.concurrency }),
  );
});
