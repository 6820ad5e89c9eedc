import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** What was found when every link of one chain of the audit trail was computed again. */
export interface ChainReport {
  /** Null: of the entries that concern no organization. */
  readonly organizationId: OrganizationId | null;
  /** Entries that are there. */
  readonly entries: number;
  /** Lower-case hex of the last link; worth keeping elsewhere: whoever can rewrite the whole chain cannot rewrite that. */
  readonly head: string | null;
  /** Null: every entry is as it was written, and none is missing. */
  readonly broken: {
    /** The first entry that does not follow from those before it; null when entries are missing at the end. */
    readonly auditId: string | null;
    readonly position: string | null;
    readonly reason: string;
  } | null;
}

export interface AuditChains {
  /** In the order of their names; all, or the one of an organization. */
  verify(organizationId: OrganizationId | null): Promise<readonly ChainReport[]>;
}
