import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { Page, PageRequest } from '../../../domain/page.ts';
import type { DatabaseState } from '../../../domain/databases/results-database.ts';

export const RUN_STATES = ['running', 'paused', 'halted', 'finished'] as const;
export type RunState = (typeof RUN_STATES)[number];

export const ITEM_STATES = ['pending', 'running', 'deferred', 'done', 'failed'] as const;
export type ItemState = (typeof ITEM_STATES)[number];

/** One move of many results databases to another schema version. At most one is unfinished at a time. */
export interface FleetRun {
  /** Rises from 1. */
  readonly runId: number;
  readonly kind: 'migrate' | 'rollback';
  /** Null: every organization goes back to where it came from. */
  readonly targetVersion: number | null;
  readonly wholeFleet: boolean;
  readonly state: RunState;
  readonly reason: string | null;
  /** The wave under way; the canaries are wave 0. */
  readonly wave: number;
  /** Failures it takes; one more halts it. */
  readonly errorBudget: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly finishedAt: Date | null;
}

export interface FleetProgress {
  readonly run: FleetRun;
  readonly organizations: number;
  readonly counts: Readonly<Record<ItemState, number>>;
  readonly waves: number;
}

/** One organization's part of a run. */
export interface FleetItem {
  readonly organizationId: OrganizationId;
  readonly wave: number;
  readonly state: ItemState;
  readonly fromVersion: number;
  readonly toVersion: number;
  readonly attempts: number;
  /** Why it failed, or waits. */
  readonly error: string | null;
  readonly durationMs: number | null;
  readonly updatedAt: Date;
}

/** What the ledger knows of an organization, for planning. Nothing has been asked of its database. */
export interface FleetCandidate {
  readonly organizationId: OrganizationId;
  readonly state: DatabaseState;
  readonly schemaVersion: number | null;
  readonly serverId: ServerId;
  /** Requests are turned away until it is migrated. */
  readonly urgent: boolean;
}

export interface PlannedItem {
  readonly organizationId: OrganizationId;
  readonly wave: number;
  readonly urgent: boolean;
  readonly fromVersion: number;
  readonly toVersion: number;
}

export interface NewRun {
  readonly kind: FleetRun['kind'];
  readonly targetVersion: number | null;
  readonly wholeFleet: boolean;
  readonly errorBudget: number;
  readonly items: readonly PlannedItem[];
}

/** An item that a runner works on until its lease ends. */
export interface FleetClaim {
  readonly organizationId: OrganizationId;
  /** Null: the organization no longer has a usable database. */
  readonly database: {
    readonly serverId: ServerId;
    readonly databaseName: string;
    readonly stamp: string;
    readonly generation: number;
  } | null;
  readonly toVersion: number;
  /** 1 for the first. */
  readonly attempt: number;
}

/** The items whose databases are on one server, or on none of these. */
export type FleetLane = { readonly serverId: ServerId } | { readonly otherThan: readonly ServerId[] };

/** How one attempt ended. */
export interface FleetReport {
  readonly organizationId: OrganizationId;
  /** Of the database that was worked on: the organization may have another one by now. Null: there was none. */
  readonly stamp: string | null;
  readonly state: 'done' | 'deferred' | 'failed';
  /** What the database was seen to have; null when it was not seen. */
  readonly schemaVersion: number | null;
  readonly error: string | null;
  readonly durationMs: number;
  /** How long a deferred one waits. */
  readonly delayMs: number;
  /** False: nothing was tried, and it does not count among the attempts. */
  readonly isAttempt: boolean;
}

/** The metadata database's records of fleet migrations. Every method commits on its own. */
export interface FleetLedger {
  /** All organizations that have a record of a database, in the order of their ids. */
  listCandidates(): Promise<readonly FleetCandidate[]>;
  /** Ends an unfinished run that nobody works on, and writes down a new one; null when somebody works on one. */
  begin(run: NewRun): Promise<FleetRun | null>;
  /** Adds organizations that the run does not have yet; returns how many. */
  add(runId: number, items: readonly PlannedItem[]): Promise<number>;
  findRun(runId: number): Promise<FleetRun | null>;
  /** The latest, finished or not. */
  latestRun(): Promise<FleetRun | null>;
  /** Newest first. */
  listRuns(page: PageRequest<number>): Promise<Page<FleetRun, number>>;
  /** Null for an unknown run. */
  progress(runId: number): Promise<FleetProgress | null>;
  /** In the order of the organization ids. */
  listItems(
    runId: number,
    filter: { readonly state: ItemState | null },
    page: PageRequest<string>,
  ): Promise<Page<FleetItem, string>>;

  /**
   * Gives the runner up to `count` items of the lane and of the waves under way, urgent ones first: waiting ones, and those of runners
   * that gave no sign of life. Never the same to two. Nothing unless the run is running.
   */
  claim(
    runId: number,
    runner: string,
    lane: FleetLane,
    count: number,
    leaseMs: number,
  ): Promise<readonly FleetClaim[]>;
  /** Prolongs the runner's leases. */
  renew(runId: number, runner: string, leaseMs: number): Promise<void>;
  /** Gives claims back that were not begun. */
  release(runId: number, runner: string, organizationIds: readonly OrganizationId[]): Promise<void>;
  /**
   * Writes down how attempts ended, and each organization's schema version with it; reports of claims that the runner
   * has lost are dropped. Halts the run when a canary failed or the error budget is spent. Returns the run's state.
   */
  report(runId: number, runner: string, reports: readonly FleetReport[]): Promise<RunState>;
  /** Opens the next wave if nothing of the present one is left to begin or under way; returns whether it did. */
  advance(runId: number): Promise<boolean>;
  /** Ends the run if nothing is left to do; returns whether it did. */
  finish(runId: number): Promise<boolean>;

  /** Stops a running run from beginning more. Returns whether there was one. */
  pause(runId: number): Promise<boolean>;
  /** Lets a paused or halted run go on, with its failures so far accepted. Returns whether there was one. */
  resume(runId: number): Promise<boolean>;
  /** Makes failed items wait again, and the run running; returns how many. Null: all of them. */
  retry(runId: number, organizationIds: readonly OrganizationId[] | null): Promise<number>;
  /**
   * Databases in service whose record changed within the last `sinceMs` milliseconds and whose schema version is
   * outside the window, and those of `known` wherever they are now.
   */
  listMoved(
    window: { readonly oldest: number; readonly newest: number },
    sinceMs: number,
    known: readonly OrganizationId[],
  ): Promise<readonly { readonly organizationId: OrganizationId; readonly schemaVersion: number }[]>;
  /** Puts the organization first in line, now and in the next run. */
  want(organizationId: OrganizationId): Promise<void>;
}
