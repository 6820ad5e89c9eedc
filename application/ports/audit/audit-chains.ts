import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** How far a chain of the audit trail had come when somebody looked, and by which hash its last entry is known. */
export interface ChainHead {
  /** Null: the chain of the entries that concern no organization. */
  readonly organizationId: OrganizationId | null;
  readonly entries: number;
  /** In lower-case hex; null for a chain that is broken or has no entries. */
  readonly head: string | null;
}

/** The result of recomputing every link of one hash chain of the audit trail, up to the first that is broken. */
export interface ChainReport extends ChainHead {
  /** Null: no entry is changed or missing. */
  readonly broken: {
    /** The first entry whose link does not match the entries before it; null when entries are missing at the end. */
    readonly auditId: string | null;
    readonly position: string | null;
    readonly reason: string;
  } | null;
}

export interface AuditChains {
  /**
   * Verifies one organization's chain, or with null all chains that there are or should be: those of all organizations, and
   * those of the kept heads. Returns them in the order of the organization ids. The hashes are computed here, and by no
   * function of the database. Decision 0037.
   *
   * @param kept heads of an earlier report, from another place: each has to be one that today's chain has passed
   * @throws {OrganizationNotFoundError} when nothing tells of an organization of that id
   */
  verify(organizationId: OrganizationId | null, kept?: readonly ChainHead[]): Promise<readonly ChainReport[]>;
}
