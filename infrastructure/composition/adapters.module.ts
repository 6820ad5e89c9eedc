import { ContainerModule } from 'inversify';
import { KnexDatabaseLedger } from '../../adapters/knex/metadata/knex-database-ledger.ts';
import { KnexDeployment } from '../../adapters/knex/metadata/knex-deployment.ts';
import { createMetadataDatabase } from '../../adapters/knex/metadata/knex-metadata-database.ts';
import { KnexSpareLedger } from '../../adapters/knex/metadata/knex-spare-ledger.ts';
import { LazyTracing } from '../../adapters/opentelemetry/lazy-tracing.ts';
import { createPinoLogger } from '../../adapters/pino/pino-logger.ts';
import { PrometheusMetrics } from '../../adapters/prometheus/prometheus-metrics.ts';
import { ERROR_STATUS } from '../../presentation/http/errors/error-status.ts';
import { OutageLogger } from '../background/outage-logger.ts';
import { readVersion } from '../config/version.ts';
import { Stopping } from '../http-server/stopping.ts';
import { once } from '../timing/once.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

export const adaptersModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.logger,
    { config: TOKENS.config },
    ({ config }) => new OutageLogger(createPinoLogger({ level: config.logLevel })),
  );
  bindSingleton(
    bind,
    TOKENS.metrics,
    {},
    () => new PrometheusMetrics({ ofProcess: true, errorCodes: Object.keys(ERROR_STATUS) }),
  );
  bindSingleton(
    bind,
    TOKENS.tracing,
    { config: TOKENS.config, instanceId: TOKENS.instanceId, logger: TOKENS.logger },
    ({ config: { tracing }, instanceId, logger }) =>
      tracing === null
        ? null
        : new LazyTracing(
            {
              ...tracing,
              service: { name: tracing.serviceName ?? 'mad', version: readVersion(), instanceId },
            },
            logger,
          ),
  );
  bindSingleton(bind, TOKENS.stopping, {}, () => new Stopping());
  const overMetadata = { database: TOKENS.metadataSql };
  bindSingleton(bind, TOKENS.metadataDatabase, overMetadata, ({ database }) =>
    createMetadataDatabase(database),
  );
  bindSingleton(bind, TOKENS.deployment, overMetadata, ({ database }) => ({
    id: once(() => new KnexDeployment(database).id()),
  }));
  bindSingleton(
    bind,
    TOKENS.databaseLedger,
    overMetadata,
    ({ database }) => new KnexDatabaseLedger(database),
  );
  bindSingleton(bind, TOKENS.spareLedger, overMetadata, ({ database }) => new KnexSpareLedger(database));
});
