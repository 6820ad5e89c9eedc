import type { Container } from 'inversify';
import type { CliDependencies } from '../../presentation/cli/run-cli.ts';
import { ensureDatabase } from '../postgres/ensure-database.ts';
import { metadataMigrations } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import { TOKENS } from './tokens.ts';

/** Where a command writes, and what ends it early. */
export interface CliSurroundings {
  readonly print: (line: string) => void;
  /** Null: not a terminal. */
  readonly terminal: NodeJS.WritableStream | null;
  readonly signal: AbortSignal;
}

/** What the commands act on; opens nothing yet. */
export const cliDependencies = (
  container: Container,
  { print, terminal, signal }: CliSurroundings,
): CliDependencies => {
  const { database } = container.get(TOKENS.config);
  return {
    maxOrganizationIdLength: database.maxOrganizationIdLength,
    databaseLedger: container.get(TOKENS.databaseLedger),
    reconcile: (options) => container.get(TOKENS.reconcileDatabases)(options),
    provision: (organizationId) => container.get(TOKENS.connectionManager).provision(organizationId),
    adopt: (organizationId, from, takeOver) =>
      container.get(TOKENS.adoptDatabase)(organizationId, { from, takeOver }),
    retire: (organizationId) => container.get(TOKENS.retireDatabase)(organizationId),
    rotateCredentials: () => container.get(TOKENS.rotateCredentials)(),
    verifyAudit: (organizationId) => container.get(TOKENS.auditChains).verify(organizationId),
    print,
    migrate: {
      operator: container.get(TOKENS.fleetOperator),
      checks: container.get(TOKENS.fleetChecks),
      concurrency: database.migration.concurrency,
      terminal,
      signal,
      prepare: async () => {
        await ensureDatabase(database.metadataUrl);
        await new Migrator(metadataMigrations).latest(database.metadataUrl);
        // A runner is a process of the deployment like any other: its connections come out of the same budget.
        await container.get(TOKENS.servers).start();
      },
    },
  };
};
