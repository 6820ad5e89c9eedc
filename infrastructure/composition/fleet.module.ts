import { ContainerModule } from 'inversify';
import { KnexFleetLedger } from '../../adapters/knex/metadata/knex-fleet-ledger.ts';
import { FleetOperator } from '../../application/fleet/fleet-operator.ts';
import { FleetRunner, RUNNER_DEFAULTS } from '../../application/fleet/fleet-runner.ts';
import { migrationConnectionName } from '../postgres/connection-names.ts';
import { BudgetedSlots } from '../fleet/connection-slots.ts';
import { PgFleetChecks } from '../fleet/pg-fleet-checks.ts';
import { PgDatabaseMigrator } from '../fleet/pg-database-migrator.ts';
import { SchemaGuard } from '../routing/schema-guard.ts';
import { windowOf } from '../migrations/schema-window.ts';
import { resultsMigrations } from '../migrations/migration-source.ts';
import { once } from '../timing/once.ts';
import { TOKENS } from './tokens.ts';

export const fleetModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.resultsMigrations).toConstantValue(resultsMigrations);
  bind(TOKENS.schemaWindow)
    .toResolvedValue(
      (migrations) => async () => windowOf((await migrations.getMigrations()).length),
      [TOKENS.resultsMigrations],
    )
    .inSingletonScope();
  bind(TOKENS.schemaGuard)
    .toResolvedValue(
      (window, ledger, logger) => new SchemaGuard({ window: once(window), ledger, logger }),
      [TOKENS.schemaWindow, TOKENS.fleetLedger, TOKENS.logger],
    )
    .inSingletonScope();
  bind(TOKENS.fleetLedger)
    .toResolvedValue((database) => new KnexFleetLedger(database), [TOKENS.metadataSql])
    .inSingletonScope();
  bind(TOKENS.migrationSlots)
    .toResolvedValue((budget) => new BudgetedSlots(budget), [TOKENS.connectionBudget])
    .inSingletonScope();
  bind(TOKENS.databaseMigrator)
    .toResolvedValue(
      ({ database }, migrations, slots, instanceId, deployment) =>
        new PgDatabaseMigrator({
          deployment,
          applicationName: migrationConnectionName(instanceId),
          migrations,
          urls: database.resultsTemplate,
          slots,
          timeouts: {
            connectMs: database.connectTimeoutMs,
            statementMs: database.migration.statementTimeoutMs,
            lockMs: database.migration.lockTimeoutMs,
          },
        }),
      [TOKENS.config, TOKENS.resultsMigrations, TOKENS.migrationSlots, TOKENS.instanceId, TOKENS.deployment],
    )
    .inSingletonScope();
  bind(TOKENS.fleetRunnerSettings).toConstantValue(RUNNER_DEFAULTS);
  bind(TOKENS.fleetOperator)
    .toResolvedValue(
      (ledger, migrator, settings) =>
        new FleetOperator(ledger, new FleetRunner(ledger, migrator, settings), migrator),
      [TOKENS.fleetLedger, TOKENS.databaseMigrator, TOKENS.fleetRunnerSettings],
    )
    .inSingletonScope();
  bind(TOKENS.fleetChecks)
    .toResolvedValue(
      ({ database }, ledger, server, migrations, connector, slots, migrator, deployment) =>
        new PgFleetChecks({
          deployment,
          ledger,
          server,
          urls: database.resultsTemplate,
          migrations,
          connect: (databaseName) => connector.toResultsServer(databaseName),
          slots,
          migrator,
          concurrency: database.migration.concurrency,
        }),
      [
        TOKENS.config,
        TOKENS.databaseLedger,
        TOKENS.resultsServer,
        TOKENS.resultsMigrations,
        TOKENS.connector,
        TOKENS.migrationSlots,
        TOKENS.databaseMigrator,
        TOKENS.deployment,
      ],
    )
    .inSingletonScope();
});
