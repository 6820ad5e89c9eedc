import type { DatabaseIdentity } from './database-identity.ts';
import type { ServerId } from './server.ts';

/**
 * Where an organization's data is, and the identity that a connection has to find there. It is the only key to a server:
 * a server is looked up by it and never handed on beside it. Decision 0028.
 */
export interface Placement extends DatabaseIdentity {
  readonly serverId: ServerId;
  readonly databaseName: string;
}

/** Whether two placements lead to the same database. */
export const isSamePlacement = (one: Placement, other: Placement): boolean =>
  one.serverId === other.serverId &&
  one.databaseName === other.databaseName &&
  one.stamp === other.stamp &&
  one.generation === other.generation;
