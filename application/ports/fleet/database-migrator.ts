import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** A results database, as recorded in the ledger, and the schema version to migrate it to. */
export interface MigrationTarget {
  readonly organizationId: OrganizationId;
  readonly serverId: ServerId;
  readonly databaseName: string;
  readonly stamp: string;
  readonly generation: number;
  readonly toVersion: number;
}

/** The result of one attempt. */
export interface MigrationOutcome {
  /**
   * `deferred`: the database was busy, or its connection broke; try again later. `away`: its server does not answer, or
   * this process may open no connection to it, and nothing was tried.
   */
  readonly kind: 'done' | 'deferred' | 'away' | 'failed';
  /** The version that the database has now; null when it could not be read. */
  readonly schemaVersion: number | null;
  /** The names of the migrations that this attempt applied or rolled back, in order. */
  readonly applied: readonly string[];
  /** A sentence for the operator; null when `done`. */
  readonly reason: string | null;
}

/** Migrates single results databases up or down to a schema version. */
export interface DatabaseMigrator {
  /** The newest version that this release knows. */
  newestVersion(): Promise<number>;
  /**
   * Applies missing migrations, or rolls back those above the target. Each migration runs in a separate transaction,
   * unless it opts out. Never rejects. Of two concurrent attempts on a database, by any processes, one is deferred.
   */
  migrate(target: MigrationTarget): Promise<MigrationOutcome>;
}
