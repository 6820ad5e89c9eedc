import type { AuditChains } from '../../application/ports/audit/audit-chains.ts';
import type { AdoptDatabase } from '../../application/databases/adopt.ts';
import type { ReconcileDatabases } from '../../application/databases/reconcile.ts';
import type { RetireDatabase } from '../../application/databases/retire.ts';
import type { RotateCredentials } from '../../application/databases/rotate-credentials.ts';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { FleetChecks } from '../../application/ports/fleet/fleet-checks.ts';
import type { FleetOperator } from '../../application/fleet/fleet-operator.ts';
import type { UseCases } from '../../application/use-cases.ts';
import type { CliDependencies } from '../../presentation/cli/run-cli.ts';
import type { Config } from '../config/config.ts';
import { metadataMigrations } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import { ensureDatabase } from '../postgres/ensure-database.ts';
import type { ResultsServers } from '../servers/results-servers.ts';
import type { DatabaseConnectionManager } from '../routing/database-connection-manager.ts';

export interface CommandedParts {
  readonly config: Config;
  readonly databaseLedger: DatabaseLedger;
  readonly connectionManager: DatabaseConnectionManager;
  readonly servers: ResultsServers;
  readonly reconcileDatabases: ReconcileDatabases;
  readonly adoptDatabase: AdoptDatabase;
  readonly retireDatabase: RetireDatabase;
  readonly rotateCredentials: RotateCredentials;
  readonly auditChains: AuditChains;
  readonly fleetOperator: FleetOperator;
  readonly fleetChecks: FleetChecks;
  readonly useCases: UseCases;
}

/** Where a command writes, and what ends it early. */
export interface CliSurroundings {
  readonly print: (line: string) => void;
  /** Null: not a terminal. */
  readonly terminal: NodeJS.WritableStream | null;
  readonly signal: AbortSignal;
}

/** What the commands act on; opens nothing yet. */
export const cliDependencies = (
  parts: CommandedParts,
  { print, terminal, signal }: CliSurroundings,
): CliDependencies => {
  const { config, databaseLedger, connectionManager, auditChains, useCases } = parts;
  const { database } = config;
  return {
    maxOrganizationIdLength: database.maxOrganizationIdLength,
    databaseLedger,
    reconcile: (options) => parts.reconcileDatabases(options),
    provision: (organizationId) => connectionManager.provision(organizationId),
    adopt: (organizationId, options) => parts.adoptDatabase(organizationId, options),
    retire: (organizationId) => parts.retireDatabase(organizationId),
    rotateCredentials: () => parts.rotateCredentials(),
    listServers: useCases.listServers,
    changeServer: useCases.changeServer,
    checkServer: useCases.checkServer,
    verifyAudit: (organizationId, kept) => auditChains.verify(organizationId, kept),
    print,
    migrate: {
      operator: parts.fleetOperator,
      checks: parts.fleetChecks,
      concurrency: database.migration.concurrency,
      terminal,
      signal,
      prepare: async () => {
        await ensureDatabase(database.metadataUrl);
        await new Migrator(metadataMigrations).latest(database.metadataUrl);
        // A runner is a process of the deployment like any other: its connections come out of the same budget.
        await parts.servers.startAll();
      },
    },
  };
};
