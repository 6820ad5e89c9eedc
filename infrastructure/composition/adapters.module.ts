import { ContainerModule } from 'inversify';
import { KnexDatabaseLedger } from '../../adapters/knex/metadata/knex-database-ledger.ts';
import { KnexDeployment } from '../../adapters/knex/metadata/knex-deployment.ts';
import { createMetadataDatabase } from '../../adapters/knex/metadata/knex-metadata-database.ts';
import { KnexSpareLedger } from '../../adapters/knex/metadata/knex-spare-ledger.ts';
import { createPinoLogger } from '../../adapters/pino/pino-logger.ts';
import { PrometheusMetrics } from '../../adapters/prometheus/prometheus-metrics.ts';
import { FleetSnapshot } from '../background/fleet-snapshot.ts';
import { Stopping } from '../http-server/stopping.ts';
import { once } from '../timing/once.ts';
import { TOKENS } from './tokens.ts';

export const adaptersModule = new ContainerModule(({ bind }) => {
  bind(TOKENS.logger)
    .toResolvedValue(({ logLevel }) => createPinoLogger({ level: logLevel }), [TOKENS.config])
    .inSingletonScope();
  bind(TOKENS.metrics)
    .toResolvedValue(() => new PrometheusMetrics({ processMetrics: true }))
    .inSingletonScope();
  bind(TOKENS.stopping)
    .toResolvedValue(() => new Stopping())
    .inSingletonScope();
  bind(TOKENS.metadataDatabase)
    .toResolvedValue((database) => createMetadataDatabase(database), [TOKENS.metadataSql])
    .inSingletonScope();
  bind(TOKENS.deployment)
    .toResolvedValue(
      (database) => ({ id: once(() => new KnexDeployment(database).id()) }),
      [TOKENS.metadataSql],
    )
    .inSingletonScope();
  bind(TOKENS.databaseLedger)
    .toResolvedValue((database) => new KnexDatabaseLedger(database), [TOKENS.metadataSql])
    .inSingletonScope();
  bind(TOKENS.spareLedger)
    .toResolvedValue((database) => new KnexSpareLedger(database), [TOKENS.metadataSql])
    .inSingletonScope();
  bind(TOKENS.fleetSnapshot)
    .toResolvedValue(
      (ledger, spares, logger) => new FleetSnapshot(ledger, spares, logger),
      [TOKENS.databaseLedger, TOKENS.spareLedger, TOKENS.logger],
    )
    .inSingletonScope();
});
