import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** A results database as the ledger has it, and the schema version it is to have. */
export interface MigrationTarget {
  readonly organizationId: OrganizationId;
  readonly serverId: ServerId;
  readonly databaseName: string;
  readonly stamp: string;
  readonly generation: number;
  readonly toVersion: number;
}

/** How one attempt ended. `schemaVersion` is what the database was seen to have; null when it was not seen. */
export interface MigrationOutcome {
  /** `deferred`: in use for now, nothing is wrong with it. `away`: its server does not answer, so nothing was tried. */
  readonly kind: 'done' | 'deferred' | 'away' | 'failed';
  readonly schemaVersion: number | null;
  /** Names of migrations that this attempt applied, or took back, in order. */
  readonly applied: readonly string[];
  /** For the operator; null when done. */
  readonly reason: string | null;
}

/** Moves single results databases between schema versions. */
export interface DatabaseMigrator {
  /** The newest version that this release knows. */
  newestVersion(): Promise<number>;
  /**
   * Applies what is missing, or takes back what is too much, each migration in its own transaction unless it asks for
   * none. Never rejects. Two attempts on one database never run at the same time, whatever the process: the second is
   * deferred.
   */
  migrate(target: MigrationTarget): Promise<MigrationOutcome>;
}
