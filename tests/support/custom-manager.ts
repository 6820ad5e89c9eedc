import type { Container } from 'inversify';
import { KnexResultsDatabase } from '../../adapters/knex/results/knex-results-database.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import {
  DatabaseConnectionManager,
  type ManagerDeps,
  type ManagerOptions,
} from '../../infrastructure/routing/database-connection-manager.ts';

/**
 * Puts a manager with other deadlines, or other (broken) parts, in the place of the container's own, before that was
 * made; the deployment closes it.
 */
export const replaceManager = (
  container: Container,
  options: Partial<ManagerOptions>,
  deps: Partial<ManagerDeps> = {},
): DatabaseConnectionManager => {
  const { database } = container.get(TOKENS.config);
  const connector = container.get(TOKENS.connector);
  const manager = new DatabaseConnectionManager(
    { ...database, drainTimeoutMs: 20_000, ...options },
    {
      metadataPool: container.get(TOKENS.metadataPool),
      adminPool: container.get(TOKENS.adminPool),
      provisioner: container.get(TOKENS.provisioner),
      budget: container.get(TOKENS.connectionBudget),
      connect: (placement, policy, arrived) => connector.toOrganization(placement, policy, arrived),
      policies: container.get(TOKENS.organizationPolicies),
      schemaGuard: container.get(TOKENS.schemaGuard),
      buildResultsDatabase: (pooled) => new KnexResultsDatabase(pooled),
      metadataControl: container.get(TOKENS.metadataControl),
      resultsControl: container.get(TOKENS.resultsControl),
      serverBreaker: container.get(TOKENS.resultsBreaker),
      share: container.get(TOKENS.connectionShare),
      logger: container.get(TOKENS.logger),
      ...deps,
    },
  );
  container.rebind(TOKENS.connectionManager).toConstantValue(manager);
  return manager;
};
