import type { Container } from 'inversify';
import { KnexResultsDatabase } from '../../adapters/knex/results/knex-results-database.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import {
  DatabaseConnectionManager,
  type ManagerDeps,
  type ManagerOptions,
  type RoutedServer,
} from '../../infrastructure/routing/database-connection-manager.ts';
import { decorateServers } from './servers.ts';

/**
 * Puts a manager with other deadlines, or other (broken) parts of itself and of its servers, in the place of the
 * container's own, before that was made; the deployment closes it.
 */
export const replaceManager = (
  container: Container,
  options: Partial<ManagerOptions>,
  { connect, budget, breaker, welcome, ...deps }: Partial<ManagerDeps & RoutedServer> = {},
): DatabaseConnectionManager => {
  const { database } = container.get(TOKENS.config);
  const parts = {
    ...(connect !== undefined && { connect }),
    ...(budget !== undefined && { budget }),
    ...(breaker !== undefined && { breaker }),
    ...(welcome !== undefined && { welcome }),
  };
  const manager = new DatabaseConnectionManager(
    { ...database, drainTimeoutMs: 20_000, ...options },
    {
      metadataPool: container.get(TOKENS.metadataPool),
      metadataControl: container.get(TOKENS.metadataControl),
      servers: decorateServers(container.get(TOKENS.servers), () => parts),
      provisioning: container.get(TOKENS.provisioning),
      policies: container.get(TOKENS.organizationPolicies),
      schemaGuard: container.get(TOKENS.schemaGuard),
      buildResultsDatabase: (pooled) => new KnexResultsDatabase(pooled),
      logger: container.get(TOKENS.logger),
      ...deps,
    },
  );
  container.rebind(TOKENS.connectionManager).toConstantValue(manager);
  return manager;
};
