import { ContainerModule } from 'inversify';
import { runWithRequestContext } from '../../adapters/pino/request-context.ts';
import { logsOperations } from './observed-databases.ts';
import { bindSingleton } from './singleton.ts';
import { TOKENS } from './tokens.ts';

export const httpModule = new ContainerModule(({ bind }) => {
  bindSingleton(
    bind,
    TOKENS.httpDependencies,
    {
      config: TOKENS.config,
      useCases: TOKENS.useCases,
      metadata: TOKENS.metadataDatabase,
      fleet: TOKENS.fleetLedger,
      databases: TOKENS.connectionManager,
      health: TOKENS.databaseHealth,
      policies: TOKENS.organizationPolicies,
      logger: TOKENS.logger,
      metrics: TOKENS.metrics,
      stopping: TOKENS.stopping,
    },
    ({ config, useCases, metrics, stopping, ...ports }) => {
      const { organizationPool, maxOrganizationIdLength } = config.database;
      return {
        ...ports,
        ...useCases,
        runWithRequestContext: logsOperations(config) ? runWithRequestContext : (_context, run) => run(),
        httpMetrics: metrics,
        renderMetrics: () => metrics.renderMetrics(),
        options: {
          maxOrganizationIdLength,
          trustedProxies: config.http.trustedProxies,
          corsOrigins: config.http.corsOrigins,
          maxConnectionsPerOrganization: organizationPool.size + organizationPool.maxOverflow,
          readyStrict: config.http.readyStrict,
          hideOrganizationNames: config.environment === 'production',
          isStopping: () => stopping.hasBegun,
        },
      };
    },
  );
});
