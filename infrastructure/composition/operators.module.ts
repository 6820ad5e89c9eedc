import { ContainerModule } from 'inversify';
import { KnexDeploymentGauge } from '../../adapters/knex/metadata/knex-deployment-figures.ts';
import { KnexOperatorsLedger } from '../../adapters/knex/metadata/knex-operators-ledger.ts';
import { KnexProcessLedger } from '../../adapters/knex/metadata/knex-process-ledger.ts';
import { KnexUsageLedger } from '../../adapters/knex/metadata/knex-usage-ledger.ts';
import { OrganizationTraffic } from '../../application/operators/organization-traffic.ts';
import { UsageCounter } from '../../application/usage/usage-counter.ts';
import { WorkFigures } from '../../application/work/work-figures.ts';
import { once } from '../timing/once.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

/** What operators look at. */
export const operatorsModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.operatorsLedger,
    { database: TOKENS.metadataSql },
    ({ database }) => new KnexOperatorsLedger(database),
  );
  bindSingleton(
    bind,
    TOKENS.processLedger,
    // Beside the process's other signs of life: a full pool must not make it look silent.
    { control: TOKENS.metadataControl },
    ({ control }) => new KnexProcessLedger(control),
  );
  bindSingleton(
    bind,
    TOKENS.deploymentGauge,
    { database: TOKENS.metadataSql },
    ({ database }) => new KnexDeploymentGauge(database),
  );
  bindSingleton(
    bind,
    TOKENS.workFigures,
    { config: TOKENS.config, metrics: TOKENS.metrics },
    ({ config, metrics }) =>
      new WorkFigures({
        engines: config.http.metricsEngines,
        observeWait: (engine, seconds) => metrics.observeJobWait(engine, seconds),
        now: () => performance.now(),
      }),
  );
  bindSingleton(
    bind,
    TOKENS.usageLedger,
    { database: TOKENS.metadataSql },
    ({ database }) => new KnexUsageLedger(database),
  );
  bindSingleton(bind, TOKENS.usageCounter, {}, () => new UsageCounter());
  bindSingleton(bind, TOKENS.organizationTraffic, {}, () => new OrganizationTraffic());
  bindSingleton(
    bind,
    TOKENS.releaseSchemas,
    { window: TOKENS.schemaWindow, migrator: TOKENS.databaseMigrator },
    ({ window, migrator }) =>
      once(async () => ({ ...(await window()), current: await migrator.newestVersion() })),
  );
});
