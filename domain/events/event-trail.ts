import type { OrganizationId } from '../organizations/organization-id.ts';
import type { EventType, JobEvent } from './job-event.ts';

/** Which events of an organization are wanted. */
export interface EventRange {
  /** Only events that follow this position. */
  readonly after: number;
  readonly types: readonly EventType[];
  readonly limit: number;
}

/** What has come to an organization's trail since a position. */
export interface TrailNews {
  readonly organizationId: OrganizationId;
  /** Of all types, in order. */
  readonly events: readonly JobEvent[];
  /** The position of the last entry that was read, which need not be an event. */
  readonly head: number;
  /** Whether more may follow. */
  readonly isCut: boolean;
}

/**
 * The events within the audit trail, in the metadata database. An organization's entries become visible in the order of
 * their positions: each gets its own under the lock of the chain, which its transaction holds until it has committed. So
 * nobody who has read up to a position misses an event below it. Decision 0050.
 */
export interface EventTrail {
  /** The events that follow, in order. */
  list(organizationId: OrganizationId, range: EventRange): Promise<readonly JobEvent[]>;
  /** The position of the organization's last entry of any kind; 0 without entries. */
  latestPosition(organizationId: OrganizationId): Promise<number>;
  /**
   * In one query, for many organizations: what follows the position of each. An organization without news is left out.
   *
   * @param limit the most entries of each organization
   */
  listNews(heads: ReadonlyMap<OrganizationId, number>, limit: number): Promise<readonly TrailNews[]>;
}
