import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

export type Circuit = 'closed' | 'open' | 'half-open';

/** One process's view of one server. */
export interface ProcessServer {
  readonly serverId: ServerId;
  readonly circuit: Circuit;
  /** Connections to results databases there, and how many the process may have. */
  readonly open: number;
  readonly share: number;
  /** Organizations that wait for a connection, as the share is spent. */
  readonly waiting: number;
}

/** What one organization asked of one process since its beat before. */
export interface BusyOrganization {
  readonly organizationId: OrganizationId;
  readonly requestsPerSecond: number;
  /** Connections of its pool, and requests that wait for one. */
  readonly open: number;
  readonly waiting: number;
}

/** An organization of which the last request was answered with an error of the service, and none with success since. */
export interface FailingOrganization {
  readonly organizationId: OrganizationId;
  /** Of the last such answer. */
  readonly code: string;
  /** Such answers in a row. */
  readonly failures: number;
}

/** What was asked since the snapshot before. */
export interface TrafficSnapshot {
  readonly seconds: number;
  readonly requests: number;
  /** Those with the most requests first. */
  readonly busiest: readonly { readonly organizationId: OrganizationId; readonly requests: number }[];
  readonly failing: readonly FailingOrganization[];
  /** All of those that have failed for long: the last 20 requests, or every one for a minute. */
  readonly outages: readonly OrganizationId[];
}

export interface Traffic {
  /** Begins a new period. */
  take(): TrafficSnapshot;
}

/** What a process says of itself. */
export interface ProcessFacts {
  readonly version: string;
  /** How busy the event loop was since the beat before, from 0 to 1. */
  readonly loopUtilization: number;
  readonly rssBytes: number;
  readonly requestsPerSecond: number;
  readonly pools: { readonly open: number; readonly draining: number; readonly leases: number };
  readonly metadata: {
    readonly circuit: Circuit;
    readonly inUse: number;
    readonly idle: number;
    readonly waiting: number;
  };
  readonly servers: readonly ProcessServer[];
  /** Those that asked most, 20 at most. */
  readonly busiest: readonly BusyOrganization[];
  readonly failing: readonly FailingOrganization[];
}

export interface ProcessBeat extends ProcessFacts {
  readonly instanceId: string;
  readonly startedAt: Date;
  readonly beatAt: Date;
  /** By the clock of the metadata database, which wrote it. */
  readonly ageSeconds: number;
}

/** How often a process says how it is, and after which time of silence it counts as gone. */
export const BEAT_EVERY_MS = 5000;
export const SILENT_AFTER_SECONDS = 15;

/** What each process of the deployment last said of itself. Processes that have been silent for a minute are forgotten. */
export interface ProcessLedger {
  /** Writes the facts of a process, in 2 KiB at most: organizations that do not fit are left out, the least busy first. */
  beat(instanceId: string, startedAt: Date, facts: ProcessFacts): Promise<void>;
  leave(instanceId: string): Promise<void>;
  /** In the order of their start. */
  list(): Promise<readonly ProcessBeat[]>;
}
