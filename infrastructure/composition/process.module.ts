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
      metrics: TOKENS.metrics,
      stopping: TOKENS.stopping,
      metadataBreaker: TOKENS.metadataBreaker,
      resultsBreaker: TOKENS.resultsBreaker,
      fleetSnapshot: TOKENS.fleetSnapshot,
      connectionManager: TOKENS.connectionManager,
      resultsTemplate: TOKENS.resultsTemplate,
      reconciler: TOKENS.reconciler,
      fleetOperator: TOKENS.fleetOperator,
      useCases: TOKENS.useCases,
      http: TOKENS.httpDependencies,
      outboxRelay: TOKENS.outboxRelay,
      background: TOKENS.background,
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
      connectionShare: TOKENS.connectionShare,
      reconciler: TOKENS.reconciler,
      custodian: TOKENS.custodian,
      credentialRotation: TOKENS.credentialRotation,
      auditChains: TOKENS.auditChains,
      fleetOperator: TOKENS.fleetOperator,
      fleetChecks: TOKENS.fleetChecks,
    },
    (parts) => (surroundings) => cliDependencies(parts, surroundings),
  );
});
