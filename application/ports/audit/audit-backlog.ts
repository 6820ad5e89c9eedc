import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** The metadata database's end of the way that entries of the audit trail take, and its book of who may have some left. */
export interface AuditBacklog {
  /** Adds an outbox's entries to the organization's trail, in their order. One that arrived before is left out. */
  deliver(organizationId: OrganizationId, entries: string): Promise<void>;
  /** Writes down, before it writes results, that this writer may leave entries behind; or says so again. */
  announce(organizationId: OrganizationId, writer: string): Promise<void>;
  /** This writer has left nothing behind. */
  withdraw(organizationId: OrganizationId, writer: string): Promise<void>;
  /** Takes over, in the name of `heir`, what writers announced that have not been heard of for `silentForMs`. */
  adopt(heir: string, silentForMs: number): Promise<readonly OrganizationId[]>;
}
