import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { DatabaseMigrator, MigrationOutcome } from '../ports/fleet/database-migrator.ts';
import type { FleetClaim, FleetLedger, FleetProgress, FleetReport } from '../ports/fleet/fleet-ledger.ts';
import { BATCH_MS, POLL_MS, Lane, type LaneShift } from './fleet-lane.ts';
import type { FleetPorts, RunnerSettings } from './fleet-ports.ts';

export interface RunnerOptions {
  /** Databases worked on at once on each server. */
  readonly concurrency: number;
  /** Ends the work after the databases under way. */
  readonly signal?: AbortSignal;
  /** Called now and then, and at the end. */
  readonly onProgress?: (progress: FleetProgress) => void;
  /** Called when nothing is left; returns whether it found more for the run. */
  readonly onDrained?: () => Promise<boolean>;
}

const LONGEST_RETRY_DELAY_MS = 30_000;
const SIGNS_OF_LIFE_PER_LEASE = 3;
const PROGRESS_EVERY_MS = 250;
/** How soon a database whose server is away is tried again, while there is other work. */
const AWAY_DELAY_MS = 5000;

/**
 * Works on the open items of a run until none is left, or the run is paused or halted. Leaves a run in which nothing but
 * databases of servers that are away is left: those stay deferred. Any number of runners, in any number of processes, may
 * work on one run. A runner that dies leaves nothing behind but leases that end. Decision 0010.
 *
 * @returns how the run stands when this runner leaves it
 * @throws {DatabaseConnectionError} when the metadata database cannot be asked
 */
export const workOnRun =
  (ports: FleetPorts) =>
  (runId: number, options: RunnerOptions): Promise<FleetProgress> =>
    new Shift(ports, runId, options).work();

/** One runner's work on one run: what it has yet to report, and its lanes, one for each server. */
class Shift implements LaneShift {
  readonly runId: number;
  readonly runner = crypto.randomUUID();
  readonly options: RunnerOptions;
  readonly ledger: FleetLedger;
  readonly settings: RunnerSettings;
  readonly #migrator: DatabaseMigrator;
  readonly #lanes: readonly Lane[];
  readonly #reports: FleetReport[] = [];
  /** Databases under way, until their reports are queued. */
  #busy = 0;
  #over = false;
  /** Organizations whose server was away when they were tried last. */
  readonly #away = new Set<OrganizationId>();
  /** Since when nothing but these was seen to be left, in `performance.now()`; null: there is more. */
  #stuckSince: number | null = null;
  #flushedAt = performance.now();
  #shownAt = 0;

  constructor({ ledger, migrator, servers, settings }: FleetPorts, runId: number, options: RunnerOptions) {
    this.runId = runId;
    this.options = options;
    this.ledger = ledger;
    this.#migrator = migrator;
    this.settings = settings;
    const known = servers.list().map(({ serverId }) => serverId);
    // The last one ends what no server of the configuration can: databases that are gone, or elsewhere.
    this.#lanes = [
      ...known.map((serverId) => new Lane(this, { serverId }, options.concurrency)),
      new Lane(this, { otherThan: known }, 1),
    ];
  }

  get isOver(): boolean {
    return this.#over || this.options.signal?.aborted === true;
  }

  get isBusy(): boolean {
    return this.#busy > 0;
  }

  async work(): Promise<FleetProgress> {
    const { leaseMs } = this.settings;
    const heart = setInterval(() => {
      // A sign of life that does not get through is followed by another, or by the end of the lease. What was claimed
      // ahead goes back now and then: should the databases under way take long, other runners need not wait for them.
      this.#giveBack()
        .then(() => this.ledger.renew(this.runId, this.runner, leaseMs))
        .catch(() => undefined);
    }, leaseMs / SIGNS_OF_LIFE_PER_LEASE);
    try {
      const ends = await Promise.allSettled(this.#lanes.map((lane) => lane.work()));
      const broken = ends.find((end) => end.status === 'rejected');
      if (broken !== undefined) throw broken.reason;
      await this.flush();
      await this.#giveBack();
    } finally {
      clearInterval(heart);
    }
    return this.#show();
  }

  stop(): void {
    this.#over = true;
  }

  /** Returns how long it took, in milliseconds. */
  async migrate(claim: FleetClaim): Promise<number> {
    this.#busy += 1;
    this.#stuckSince = null;
    const startedAt = performance.now();
    let durationMs: number;
    try {
      const outcome = await this.#attempt(claim);
      durationMs = performance.now() - startedAt;
      if (outcome.kind === 'away') this.#away.add(claim.organizationId);
      else this.#away.delete(claim.organizationId);
      this.#reports.push(this.#toReport(claim, outcome, durationMs));
    } finally {
      this.#busy -= 1;
      // One that ended may be what the next wave waits for, whatever its server.
      for (const lane of this.#lanes) lane.wake();
    }
    // A failure may have to halt the run before more is begun; and requests may be waiting for the good news.
    const isDue = performance.now() - this.#flushedAt > BATCH_MS;
    if (isDue || this.#reports.at(-1)?.state === 'failed') await this.flush();
    return durationMs;
  }

  async #attempt({ organizationId, database, toVersion }: FleetClaim): Promise<MigrationOutcome> {
    if (database !== null) return this.#migrator.migrate({ organizationId, ...database, toVersion });
    const reason = 'the organization has no database in service any more';
    return { kind: 'failed', schemaVersion: null, applied: [], reason };
  }

  #toReport(claim: FleetClaim, outcome: MigrationOutcome, durationMs: number): FleetReport {
    const { maxAttempts, retryDelayMs } = this.settings;
    const { organizationId, attempt } = claim;
    const { kind, schemaVersion, reason } = outcome;
    const report = { organizationId, stamp: claim.database?.stamp ?? null, schemaVersion, durationMs };
    // Nothing was tried: it says nothing of the database, however often.
    if (kind === 'away')
      return { ...report, state: 'deferred', error: reason, delayMs: AWAY_DELAY_MS, isAttempt: false };
    const givenUp = kind === 'deferred' && attempt >= maxAttempts;
    return {
      ...report,
      state: givenUp ? 'failed' : kind,
      error: givenUp ? `${reason ?? 'in use'}; given up after ${attempt} attempts` : reason,
      delayMs:
        kind === 'deferred'
          ? Math.min(LONGEST_RETRY_DELAY_MS, retryDelayMs * 2 ** Math.min(attempt - 1, 10))
          : 0,
      isAttempt: true,
    };
  }

  async flush(): Promise<void> {
    this.#flushedAt = performance.now();
    const reports = this.#reports.splice(0);
    if (reports.length === 0) return;
    const state = await this.ledger.report(this.runId, this.runner, reports);
    if (state !== 'running') this.#over = true;
    if (performance.now() - this.#shownAt > PROGRESS_EVERY_MS) await this.#show();
  }

  /** For a lane that finds nothing to claim. */
  async whatNow(): Promise<'look again' | 'rest' | 'leave'> {
    const { run, counts } = await this.#show();
    if (run.state !== 'running') return 'leave';
    if (counts.pending + counts.running + counts.deferred > 0 || this.isBusy) {
      if (!this.#isStuck(counts)) return 'rest';
      this.#over = true;
      return 'leave';
    }
    if ((await this.options.onDrained?.()) === true) return 'look again';
    // False when another runner found more, or ended it.
    await this.ledger.finish(this.runId);
    return 'look again';
  }

  /** Whether nothing is left but databases whose servers are away, and what has to wait for them. */
  #isStuck({ running, deferred }: FleetProgress['counts']): boolean {
    const isMore = running > 0 || this.isBusy || deferred === 0 || deferred > this.#away.size;
    // A lane may be about to claim what is pending: it is looked again.
    if (isMore) this.#stuckSince = null;
    else this.#stuckSince ??= performance.now();
    return this.#stuckSince !== null && performance.now() - this.#stuckSince > 2 * POLL_MS;
  }

  async #giveBack(): Promise<void> {
    const release = (claims: readonly FleetClaim[]): Promise<void> =>
      this.ledger.release(
        this.runId,
        this.runner,
        claims.map(({ organizationId }) => organizationId),
      );
    await Promise.all(this.#lanes.map((lane) => lane.empty(release)));
  }

  async #show(): Promise<FleetProgress> {
    this.#shownAt = performance.now();
    const progress = await this.ledger.progress(this.runId);
    if (progress === null) throw new Error(`run ${this.runId} is gone`);
    this.options.onProgress?.(progress);
    return progress;
  }
}
