import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** One schema object that differs from what the migrations produce. */
export interface SchemaDifference {
  /** `extra`: the database has an object that the migrations do not create. */
  readonly kind: 'missing' | 'extra' | 'changed';
  /** Type and name, such as `column public.docking_jobs.note`. */
  readonly object: string;
  /** The definition that the migrations produce; null when `extra`. */
  readonly expected: string | null;
  /** The definition in the database; null when `missing`. */
  readonly found: string | null;
}

export interface DriftReport {
  /** The number of databases whose schema was compared. */
  readonly checked: number;
  readonly drifted: readonly {
    readonly organizationId: OrganizationId;
    readonly schemaVersion: number;
    readonly differences: readonly SchemaDifference[];
  }[];
  /** Databases that could not be read, and why. */
  readonly unreadable: readonly { readonly organizationId: OrganizationId; readonly reason: string }[];
}

/** The result of a migration of a copy of an organization's database. */
export interface Rehearsal {
  readonly organizationId: OrganizationId;
  readonly outcome: 'done' | 'failed';
  readonly reason: string | null;
  readonly fromVersion: number | null;
  readonly toVersion: number;
  readonly copyMs: number;
  readonly migrateMs: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** The strongest lock on each table that existed before. Requests that need the table would wait while it is held. */
  readonly locks: readonly { readonly table: string; readonly mode: string }[];
}

/** Checks that change no organization's database. On one server, only one check runs at a time, over all processes. */
export interface FleetChecks {
  /** Compares the organizations' schemas with a database that the migrations built. Null: all organizations. */
  drift(only: ReadonlySet<OrganizationId> | null): Promise<DriftReport>;
  /**
   * Migrates a copy of each organization's database and drops the copy. To copy a database the server ends its idle
   * sessions and lets new connections wait. A database in constant use cannot be copied, and its rehearsal fails.
   */
  rehearse(only: readonly OrganizationId[], toVersion: number): Promise<readonly Rehearsal[]>;
}
