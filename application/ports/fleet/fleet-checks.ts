import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** One thing of a schema that is not as the migrations make it. */
export interface SchemaDifference {
  /** `extra`: the database has it and the migrations do not make it. */
  readonly kind: 'missing' | 'extra' | 'changed';
  /** Such as `column public.docking_jobs.note`. */
  readonly object: string;
  /** Null when it is extra. */
  readonly expected: string | null;
  /** Null when it is missing. */
  readonly found: string | null;
}

export interface DriftReport {
  /** Databases whose schema was looked at. */
  readonly checked: number;
  readonly drifted: readonly {
    readonly organizationId: OrganizationId;
    readonly schemaVersion: number;
    readonly differences: readonly SchemaDifference[];
  }[];
  /** Databases that could not be looked at, and why. */
  readonly unreadable: readonly { readonly organizationId: OrganizationId; readonly reason: string }[];
}

/** A migration that was tried on a copy of an organization's database. */
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
  /** Strongest lock on each table that was there before; requests that need the table wait for it so long. */
  readonly locks: readonly { readonly table: string; readonly mode: string }[];
}

/** Looks that change nothing. One at a time, whatever the process. */
export interface FleetChecks {
  /** Compares schemas with what the migrations make of an empty database. Null: those of all organizations. */
  drift(only: ReadonlySet<OrganizationId> | null): Promise<DriftReport>;
  /**
   * Migrates copies of the organizations' databases and drops them again. While a database is copied, new connections
   * to it wait, and sessions that lay idle have been ended; one in constant use cannot be copied.
   */
  rehearse(only: readonly OrganizationId[], toVersion: number): Promise<readonly Rehearsal[]>;
}
