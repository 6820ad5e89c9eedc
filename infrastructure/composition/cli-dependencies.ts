import type { AuditChains } from '../../application/ports/audit/audit-chains.ts';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { FleetChecks } from '../../application/ports/fleet/fleet-checks.ts';
import type { FleetOperator } from '../../application/fleet/fleet-operator.ts';
import type { CliDependencies } from '../../presentation/cli/run-cli.ts';
import type { Config } from '../config/config.ts';
import { metadataMigrations } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import { ensureDatabase } from '../postgres/ensure-database.ts';
import type { CredentialRotation } from '../provisioning/credential-rotation.ts';
import type { Custodian } from '../provisioning/custodian.ts';
import type { Reconciler } from '../provisioning/reconciler.ts';
import type { DatabaseConnectionManager } from '../routing/database-connection-manager.ts';
import type { ConnectionShare } from '../servers/connection-share.ts';

export interface CommandedParts {
  readonly config: Config;
  readonly databaseLedger: DatabaseLedger;
  readonly connectionManager: DatabaseConnectionManager;
  readonly connectionShare: ConnectionShare;
  readonly reconciler: Reconciler;
  readonly custodian: Custodian;
  readonly credentialRotation: CredentialRotation;
  readonly auditChains: AuditChains;
  readonly fleetOperator: FleetOperator;
  readonly fleetChecks: FleetChecks;
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
  const { config, databaseLedger, connectionManager, custodian, auditChains } = parts;
  const { database } = config;
  return {
    maxOrganizationIdLength: database.resultsTemplate.maxOrganizationIdLength,
    databaseLedger,
    reconcile: (options) => parts.reconciler.reconcile(options),
    provision: (organizationId) => connectionManager.provision(organizationId),
    adopt: (organizationId, from, takeOver) => custodian.adopt(organizationId, from, takeOver),
    retire: (organizationId) => custodian.retire(organizationId),
    rotateCredentials: () => parts.credentialRotation.rotate(),
    verifyAudit: (organizationId) => auditChains.verify(organizationId),
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
        await parts.connectionShare.start();
      },
    },
  };
};
