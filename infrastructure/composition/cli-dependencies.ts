import type { AuditChains } from '../../application/ports/audit/audit-chains.ts';
import type { AdoptDatabase } from '../../application/databases/adopt.ts';
import type { ReconcileDatabases } from '../../application/databases/reconcile.ts';
import type { RetireDatabase } from '../../application/databases/retire.ts';
import type { RotateCredentials } from '../../application/databases/rotate-credentials.ts';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import { purgeFiles } from '../../application/files/purge-files.ts';
import type { FileStore } from '../../application/ports/files/file-store.ts';
import type { FleetChecks } from '../../application/ports/fleet/fleet-checks.ts';
import type { FleetOperator } from '../../application/fleet/fleet-operator.ts';
import type { UseCases } from '../../application/use-cases.ts';
import type { MigrateDependencies } from '../../presentation/cli/migrate-commands.ts';
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
  readonly fileStore: FileStore;
}

/** Where a command draws its progress, and what ends it early. */
export type CommandEnds = Pick<MigrateDependencies, 'terminal' | 'signal'>;

/** What the commands act on; opens nothing yet. */
export const cliDependencies = (
  parts: CommandedParts,
  { terminal, signal }: CommandEnds,
): CliDependencies => {
  const { config, databaseLedger, connectionManager, auditChains, useCases } = parts;
  const { database } = config;
  const prepareMetadata = async (): Promise<void> => {
    await ensureDatabase(database.metadataAdminUrl);
    await new Migrator(metadataMigrations).latest(database.metadataAdminUrl, { toleratesNewer: true });
  };
  return {
    databaseLedger,
    reconcile: (options) => parts.reconcileDatabases(options),
    provision: (organizationId) => connectionManager.provision(organizationId),
    adopt: (organizationId, options) => parts.adoptDatabase(organizationId, options),
    retire: (organizationId) => parts.retireDatabase(organizationId),
    collectFiles: (organizationId) =>
      useCases.collectFiles(organizationId, async (work) => {
        const lease = await connectionManager.acquireExisting(organizationId);
        try {
          return await work(lease.database);
        } finally {
          lease.release();
        }
      }),
    purgeFiles: purgeFiles({ ledger: databaseLedger, fileStore: parts.fileStore }),
    rotateCredentials: () => parts.rotateCredentials(),
    listServers: useCases.listServers,
    changeServer: useCases.changeServer,
    checkServer: useCases.checkServer,
    verifyAudit: (organizationId, kept) => auditChains.verify(organizationId, kept),
    createAdministrator: async (email, password) => {
      await prepareMetadata();
      return useCases.ensureAdministrator(email, password);
    },
    grantOperatorToken: async () => {
      if (config.tokens.secret === null)
        throw new Error('JWT_SECRET is not set: without it this deployment issues no tokens.');
      await prepareMetadata();
      return useCases.grantOperatorToken();
    },
    openMigrate: async () => {
      await prepareMetadata();
      // A runner is a process of the deployment like any other: its connections come out of the same budget.
      await parts.servers.startAll();
      return {
        operator: parts.fleetOperator,
        checks: parts.fleetChecks,
        assertOrganizations: useCases.assertOrganizations,
        concurrency: database.migration.concurrency,
        terminal,
        signal,
      };
    },
  };
};
