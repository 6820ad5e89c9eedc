import type { OrganizationId } from '../organizations/organization-id.ts';
import type { JsonText } from '../json-text.ts';
import type { PagePart, PartRequest } from '../page.ts';

/** What happened, before it is recorded. */
export interface AuditEvent {
  readonly organizationId: OrganizationId | null;
  readonly userId: string | null;
  /** One of `AUDIT_ACTIONS`, or what an organization has written to its outbox by SQL. */
  readonly action: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly requestId: string | null;
  /** Network address that the request came from; left out when there was no request. */
  readonly address?: string | null;
  /** Why, in the words of who asked for it. The entry keeps it as `reason` among its details. */
  readonly reason?: string;
}

/** What the trail records of one write of results. The entity is the row that is written. */
export interface WriteNote {
  readonly action: string;
  /** Small: what was before and after, not the data itself. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly userId: string | null;
  readonly requestId: string | null;
  readonly address: string | null;
}

export interface AuditEntry extends Omit<AuditEvent, 'details' | 'reason'> {
  readonly details: JsonText;
  readonly auditId: string;
  readonly at: Date;
  /** Position in the trail: a sequence number, as text because it outgrows a double. */
  readonly position: string;
}

/** Where an entry stands in the list: by its time, and of one time by its position. */
export type AuditKey = Pick<AuditEntry, 'at' | 'position'>;

/** Which entries are listed. What is left out, or null, does not matter. */
export interface AuditFilter {
  readonly action: string | null;
  readonly userId?: string | null;
  readonly entityId?: string | null;
  readonly requestId?: string | null;
  /** From this moment on. */
  readonly from?: Date | null;
  /** Before this moment. */
  readonly to?: Date | null;
}

/** In place of an organization: the trails of all organizations, and what concerns none. */
export const EVERY_TRAIL = Symbol('every trail');
export type TrailScope = OrganizationId | null | typeof EVERY_TRAIL;

/** The audit trail in the metadata database. Entries are only ever added. Decision 0015. */
export interface AuditLog {
  append(event: AuditEvent): Promise<void>;
  /**
   * Lists entries newest first, by the time when they happened: entries of results arrive a moment after others.
   *
   * @param scope null: the entries that concern no single organization
   */
  list(
    scope: TrailScope,
    filter: AuditFilter,
    part: PartRequest<AuditKey>,
  ): Promise<PagePart<AuditEntry, AuditKey>>;
}
