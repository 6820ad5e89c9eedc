import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { Page, PageRequest } from '../../../domain/page.ts';
import type { DatabaseState } from '../../../domain/databases/results-database.ts';

export const RUN_STATES = ['running', 'paused', 'halted', 'finished'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** The `reason` of a run that is finished because a rollback had to come in between. It can be resumed. */
export const SET_ASIDE = 'set aside for a rollback';

export const ITEM_STATES = ['pending', 'running', 'deferred', 'done', 'failed'] as const;
export type ItemState = (typeof ITEM_STATES)[number];

/** One migration of many results databases. At most one run is unfinished at a time. Decision 0010. */
export interface FleetRun {
  /** A sequence number, from 1. */
  readonly runId: number;
  readonly kind: 'migrate' | 'rollback';
  /** Null: every organization goes back to its version before the previous run. */
  readonly targetVersion: number | null;
  readonly wholeFleet: boolean;
  readonly state: RunState;
  readonly reason: string | null;
  /** The current wave. The canaries are wave 0. */
  readonly wave: number;
  /** The number of failures that the run tolerates. One more halts it. */
  readonly errorBudget: number;
  /** Processes of the service that know so many migrations work on it. Null: only commands do. */
  readonly serviceSchemaVersion: number | null;
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

/** One organization's migration within a run. */
export interface FleetItem {
  readonly organizationId: OrganizationId;
  readonly wave: number;
  readonly state: ItemState;
  readonly fromVersion: number;
  readonly toVersion: number;
  readonly attempts: number;
  /** Why the last attempt failed or was deferred. */
  readonly error: string | null;
  readonly durationMs: number | null;
  readonly updatedAt: Date;
}

/** An organization as recorded in the ledger, for planning a run. Its database was not queried. */
export interface FleetCandidate {
  readonly organizationId: OrganizationId;
  readonly state: DatabaseState;
  readonly schemaVersion: number | null;
  readonly serverId: ServerId;
  /** Whether its requests are refused until it is migrated. */
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
  /** The unfinished run that this one takes the place of, as it was seen before this one was planned; null: there was none. */
  readonly replaces: number | null;
  /** Null by default. */
  readonly serviceSchemaVersion?: number;
  readonly items: readonly PlannedItem[];
}

/** An item that one runner holds until its lease ends. */
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
  /** The number of this attempt, from 1. */
  readonly attempt: number;
}

/** The items whose databases are on one server, or on none of these. */
export type FleetLane = { readonly serverId: ServerId } | { readonly otherThan: readonly ServerId[] };

/** The result of one attempt. */
export interface FleetReport {
  readonly organizationId: OrganizationId;
  /** The stamp of the database of the attempt, because the organization may have another one now. Null: it had none. */
  readonly stamp: string | null;
  readonly state: 'done' | 'deferred' | 'failed';
  /** The version that the database has now; null when it could not be read. */
  readonly schemaVersion: number | null;
  readonly error: string | null;
  readonly durationMs: number;
  /** A deferred item can be claimed again after this time. */
  readonly delayMs: number;
  /** False: nothing was tried, and it does not count among the attempts. */
  readonly isAttempt: boolean;
}

/** The records of fleet migrations in the metadata database. Every method is one transaction. Decision 0010. */
export interface FleetLedger {
  /**
   * Lists the organizations with a recorded database, in the order of their ids.
   *
   * @param filter.behind only those in service whose schema version is below this; null: all
   */
  listCandidates(
    filter: { readonly behind: number | null },
    page: PageRequest<string>,
  ): Promise<Page<FleetCandidate, string>>;
  /** Counts the databases in service by their schema version. */
  countSchemas(): Promise<ReadonlyMap<number, number>>;
  /**
   * Creates a run, and ends the one that it replaces. Null while a runner works on that one, and when another run is
   * unfinished: it has been begun meanwhile, maybe a moment ago. A rollback sets the run aside, any other one takes its place.
   */
  begin(run: NewRun): Promise<FleetRun | null>;
  /** Adds the items of organizations that the run does not have yet. Returns their number. */
  add(runId: number, items: readonly PlannedItem[]): Promise<number>;
  findRun(runId: number): Promise<FleetRun | null>;
  /** The unfinished run, else the one that was finished last. */
  latestRun(): Promise<FleetRun | null>;
  /** The run that a rollback set aside; null when there is none, or a later migration took its place. */
  findSetAside(): Promise<FleetRun | null>;
  /** Lists the newest run first. */
  listRuns(page: PageRequest<number>): Promise<Page<FleetRun, number>>;
  /** Null for an unknown run. */
  progress(runId: number): Promise<FleetProgress | null>;
  /** Lists items in the order of the organization ids. */
  listItems(
    runId: number,
    filter: { readonly state: ItemState | null },
    page: PageRequest<string>,
  ): Promise<Page<FleetItem, string>>;

  /**
   * Leases up to `count` items of the lane and the open waves to the runner, urgent ones first. They are pending,
   * deferred and due, or held by a runner whose lease has ended. Two runners never get the same item. Returns nothing
   * while the run is not `running`.
   */
  claim(
    runId: number,
    runner: string,
    lane: FleetLane,
    count: number,
    leaseMs: number,
  ): Promise<readonly FleetClaim[]>;
  /** Extends all leases of the runner to `leaseMs` from now. */
  renew(runId: number, runner: string, leaseMs: number): Promise<void>;
  /** Returns claimed items whose attempt has not begun. */
  release(runId: number, runner: string, organizationIds: readonly OrganizationId[]): Promise<void>;
  /**
   * Records the results of attempts and the organizations' schema versions. Ignores reports for items that the runner
   * no longer holds. Halts the run when a canary failed or the error budget is exceeded. Returns the run's state.
   */
  report(runId: number, runner: string, reports: readonly FleetReport[]): Promise<RunState>;
  /**
   * Opens the next wave if the open ones have no pending or running item and no deferred canary. Returns whether it did.
   */
  advance(runId: number): Promise<boolean>;
  /** Finishes the run if it has no item left to do. Returns whether it did. */
  finish(runId: number): Promise<boolean>;

  /** Has processes of the service work on the run that know so many migrations. */
  handToService(runId: number, schemaVersion: number): Promise<void>;
  /** Pauses a running run: no further attempt begins. Returns whether the run was running. */
  pause(runId: number): Promise<boolean>;
  /** Continues a run that is paused, halted or set aside and accepts its failures so far. Returns whether it was that. */
  resume(runId: number): Promise<boolean>;
  /** Makes failed items pending again and the run `running`. Null: all failed items. Returns their number. */
  retry(runId: number, organizationIds: readonly OrganizationId[] | null): Promise<number>;
  /**
   * Returns the databases in service that changed within the last `sinceMs` milliseconds and whose schema version is
   * outside the window, and also those of `known`, whatever their version.
   */
  listMoved(
    window: { readonly oldest: number; readonly newest: number },
    sinceMs: number,
    known: readonly OrganizationId[],
  ): Promise<readonly { readonly organizationId: OrganizationId; readonly schemaVersion: number }[]>;
  /** Makes the organization urgent: it comes first in the current and the next run. */
  want(organizationId: OrganizationId): Promise<void>;
}
