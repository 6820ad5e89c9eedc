import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** The result of recomputing every link of one hash chain of the audit trail. */
export interface ChainReport {
  /** Null: the chain of the entries that concern no organization. */
  readonly organizationId: OrganizationId | null;
  /** The number of entries found. */
  readonly entries: number;
  /**
   * The last link in lower-case hex. A copy of it in another place shows when someone has rewritten the whole chain.
   */
  readonly head: string | null;
  /** Null: no entry is changed or missing. */
  readonly broken: {
    /** The first entry whose link does not match the entries before it; null when entries are missing at the end. */
    readonly auditId: string | null;
    readonly position: string | null;
    readonly reason: string;
  } | null;
}

export interface AuditChains {
  /** Verifies one organization's chain, or all chains with null. Returns them in the order of the organization ids. */
  verify(organizationId: OrganizationId | null): Promise<readonly ChainReport[]>;
}
