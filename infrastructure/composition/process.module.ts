import { ContainerModule } from 'inversify';
import { cliDependencies } from './cli-dependencies.ts';
import { Service } from './service.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

/** What the programs in `bin` run. */
export const processModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.service,
    {
      config: TOKENS.config,
      logger: TOKENS.logger,
      metadataConnector: TOKENS.metadataConnector,
      clusterSurvey: TOKENS.clusterSurvey,
      metrics: TOKENS.metrics,
      tracing: TOKENS.tracing,
      stopping: TOKENS.stopping,
      metadataBreaker: TOKENS.metadataBreaker,
      servers: TOKENS.servers,
      fleetSnapshot: TOKENS.fleetSnapshot,
      changeFeed: TOKENS.changeFeed,
      connectionManager: TOKENS.connectionManager,
      reconcileDatabases: TOKENS.reconcileDatabases,
      rotateCredentials: TOKENS.rotateCredentials,
      fleetOperator: TOKENS.fleetOperator,
      schemaGuard: TOKENS.schemaGuard,
      metadata: TOKENS.metadataDatabase,
      useCases: TOKENS.useCases,
      http: TOKENS.httpDependencies,
      outboxRelay: TOKENS.outboxRelay,
      eventStreams: TOKENS.eventStreams,
      operatorStreams: TOKENS.operatorStreams,
      background: TOKENS.background,
      processBeats: TOKENS.processBeats,
      serverSizes: TOKENS.serverSizes,
      workFigures: TOKENS.workFigures,
    },
    (parts) => new Service(parts),
  );
  bindSingleton(
    bind,
    TOKENS.cliDependencies,
    {
      config: TOKENS.config,
      databaseLedger: TOKENS.databaseLedger,
      connectionManager: TOKENS.connectionManager,
      servers: TOKENS.servers,
      adoptDatabase: TOKENS.adoptDatabase,
      retireDatabase: TOKENS.retireDatabase,
      reconcileDatabases: TOKENS.reconcileDatabases,
      rotateCredentials: TOKENS.rotateCredentials,
      auditChains: TOKENS.auditChains,
      fleetOperator: TOKENS.fleetOperator,
      fleetChecks: TOKENS.fleetChecks,
      useCases: TOKENS.useCases,
      fileStore: TOKENS.fileStore,
    },
    (parts) => (surroundings) => cliDependencies(parts, surroundings),
  );
});
