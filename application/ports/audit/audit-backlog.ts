import type { CarriedEntry } from '../../../domain/audit/carried-entry.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/**
 * The metadata database's side of the audit relay. It receives entries, and records which processes (writers) may still
 * have entries in an organization's outbox. Decision 0015.
 */
export interface AuditBacklog {
  /**
   * Appends an outbox's entries to the organization's trail, in order, and sets the hints at work that they tell of. Skips
   * those that were delivered before.
   */
  deliver(organizationId: OrganizationId, entries: readonly CarriedEntry[]): Promise<void>;
  /** Records that the writer may leave entries in the outbox, or renews the record. Call it before results are written. */
  announce(organizationId: OrganizationId, writer: string): Promise<void>;
  /** Deletes that record: the writer has left no entries. */
  withdraw(organizationId: OrganizationId, writer: string): Promise<void>;
  /**
   * Moves records that were not renewed for `silentForMs` to `writer`: the process that made them is dead.
   *
   * @returns the organizations whose outboxes `writer` now has to relay
   */
  reclaimFromDead(writer: string, silentForMs: number): Promise<readonly OrganizationId[]>;
}
