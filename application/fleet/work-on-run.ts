import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { DatabaseMigrator, MigrationOutcome } from '../ports/fleet/database-migrator.ts';
import type { FleetClaim, FleetLedger, FleetProgress, FleetReport } from '../ports/fleet/fleet-ledger.ts';
import type { FleetPorts, RunnerSettings } from './fleet-ports.ts';

export interface RunnerOptions {
  /** Databases worked on at once. */
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
/** Reports are written together, and claims made together, for as much work as takes this long. */
const BATCH_MS = 250;
const MAX_BATCH = 32;
/** How often it is looked whether deferred items are due, or other runners are through. */
const POLL_MS = 200;
const PROGRESS_EVERY_MS = 250;

/**
 * Works on the open items of a run until none is left, or the run is paused or halted. Any number of runners, in any
 * number of processes, may work on one run. A runner that dies leaves nothing behind but leases that end. Decision 0010.
 *
 * @returns how the run stands when this runner leaves it
 * @throws {DatabaseConnectionError} when the metadata database cannot be asked
 */
export const workOnRun =
  (ports: FleetPorts) =>
  (runId: number, options: RunnerOptions): Promise<FleetProgress> =>
    new Shift(ports, runId, options).work();

/** One runner's work on one run: what it has claimed, and what it has yet to report. */
class Shift {
  readonly #runId: number;
  readonly #runner = crypto.randomUUID();
  readonly #options: RunnerOptions;
  readonly #ledger: FleetLedger;
  readonly #migrator: DatabaseMigrator;
  readonly #settings: RunnerSettings;
  readonly #queue: FleetClaim[] = [];
  readonly #reports: FleetReport[] = [];
  #refilling: Promise<boolean> | null = null;
  /** Databases under way, until their reports are queued. */
  #busy = 0;
  #ended = 0;
  #over = false;
  #wake: () => void = () => undefined;
  /** Of the attempts so far; null before the first. */
  #averageMs: number | null = null;
  #flushedAt = performance.now();
  #shownAt = 0;

  constructor({ ledger, migrator, settings }: FleetPorts, runId: number, options: RunnerOptions) {
    this.#runId = runId;
    this.#options = options;
    this.#ledger = ledger;
    this.#migrator = migrator;
    this.#settings = settings;
  }

  async work(): Promise<FleetProgress> {
    const { leaseMs } = this.#settings;
    const heart = setInterval(() => {
      // A sign of life that does not get through is followed by another, or by the end of the lease. What was claimed
      // ahead goes back now and then: should the databases under way take long, other runners need not wait for them.
      this.#giveBack()
        .then(() => this.#ledger.renew(this.#runId, this.#runner, leaseMs))
        .catch(() => undefined);
    }, leaseMs / SIGNS_OF_LIFE_PER_LEASE);
    try {
      const workers = Array.from({ length: this.#options.concurrency }, () => this.#workThrough());
      const ends = await Promise.allSettled(workers);
      // One under way ahead of need may still make claims.
      await this.#refilling?.catch(() => undefined);
      const broken = ends.find((end) => end.status === 'rejected');
      if (broken !== undefined) throw broken.reason;
      await this.#flush();
      await this.#giveBack();
    } finally {
      clearInterval(heart);
    }
    return this.#show();
  }

  async #workThrough(): Promise<void> {
    try {
      while (!this.#isOver) {
        const claim = this.#queue.shift();
        if (claim === undefined) {
          if (!(await this.#refill())) return;
          continue;
        }
        // Nobody waits for this one: those who find the queue empty do, and see how it ends.
        if (this.#queue.length < this.#options.concurrency) this.#refill().catch(() => undefined);
        await this.#migrate(claim);
      }
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }

  get #isOver(): boolean {
    return this.#over || this.#options.signal?.aborted === true;
  }

  async #migrate(claim: FleetClaim): Promise<void> {
    this.#busy += 1;
    try {
      const startedAt = performance.now();
      const outcome = await this.#attempt(claim);
      const durationMs = performance.now() - startedAt;
      this.#averageMs = (this.#averageMs ?? durationMs) * 0.9 + durationMs * 0.1;
      this.#reports.push(this.#toReport(claim, outcome, durationMs));
    } finally {
      this.#busy -= 1;
      this.#ended += 1;
      this.#wake();
    }
    // A failure may have to halt the run before more is begun; and requests may be waiting for the good news.
    const isDue = performance.now() - this.#flushedAt > BATCH_MS;
    if (isDue || this.#reports.at(-1)?.state === 'failed') await this.#flush();
  }

  async #attempt({ organizationId, database, toVersion }: FleetClaim): Promise<MigrationOutcome> {
    if (database !== null) return this.#migrator.migrate({ organizationId, ...database, toVersion });
    const reason = 'the organization has no database in service any more';
    return { kind: 'failed', schemaVersion: null, applied: [], reason };
  }

  #toReport(claim: FleetClaim, outcome: MigrationOutcome, durationMs: number): FleetReport {
    const { maxAttempts, retryDelayMs } = this.#settings;
    const { organizationId, attempt } = claim;
    const { schemaVersion, reason } = outcome;
    const givenUp = outcome.kind === 'deferred' && attempt >= maxAttempts;
    return {
      organizationId,
      stamp: claim.database?.stamp ?? null,
      schemaVersion,
      durationMs,
      state: givenUp ? 'failed' : outcome.kind,
      error: givenUp ? `${reason ?? 'in use'}; given up after ${attempt} attempts` : reason,
      delayMs:
        outcome.kind === 'deferred'
          ? Math.min(LONGEST_RETRY_DELAY_MS, retryDelayMs * 2 ** Math.min(attempt - 1, 10))
          : 0,
    };
  }

  get #batch(): number {
    const { concurrency } = this.#options;
    if (this.#averageMs === null) return concurrency;
    const worth = Math.ceil((concurrency * BATCH_MS) / Math.max(1, this.#averageMs));
    return Math.max(concurrency, Math.min(MAX_BATCH, worth));
  }

  async #flush(): Promise<void> {
    this.#flushedAt = performance.now();
    const reports = this.#reports.splice(0);
    if (reports.length === 0) return;
    const state = await this.#ledger.report(this.#runId, this.#runner, reports);
    if (state !== 'running') this.#over = true;
    if (performance.now() - this.#shownAt > PROGRESS_EVERY_MS) await this.#show();
  }

  /** Workers share one look at the ledger; returns whether it is worth looking on. */
  #refill(): Promise<boolean> {
    this.#refilling ??= this.#look().finally(() => {
      this.#refilling = null;
    });
    return this.#refilling;
  }

  async #look(): Promise<boolean> {
    await this.#flush();
    if (this.#isOver) return false;
    const { leaseMs } = this.#settings;
    const endedBefore = this.#ended;
    const claims = await this.#ledger.claim(this.#runId, this.#runner, this.#batch, leaseMs);
    this.#queue.push(...claims);
    if (claims.length > 0 || (await this.#ledger.advance(this.#runId))) return true;
    const { run, counts } = await this.#show();
    if (run.state !== 'running') return false;
    const open = counts.pending + counts.running + counts.deferred;
    if (open > 0 || this.#busy > 0) {
      // One that ended while the ledger answered may be what the next wave waits for.
      if (this.#ended === endedBefore) await this.#rest();
      return true;
    }
    if ((await this.#options.onDrained?.()) === true) return true;
    // False when another runner found more, or ended it.
    await this.#ledger.finish(this.#runId);
    return true;
  }

  /** Until it is time to look again, or one of this runner's own databases is through. */
  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #giveBack(): Promise<void> {
    const left = this.#queue.splice(0).map(({ organizationId }): OrganizationId => organizationId);
    if (left.length > 0) await this.#ledger.release(this.#runId, this.#runner, left);
  }

  async #show(): Promise<FleetProgress> {
    this.#shownAt = performance.now();
    const progress = await this.#ledger.progress(this.#runId);
    if (progress === null) throw new Error(`run ${this.#runId} is gone`);
    this.#options.onProgress?.(progress);
    return progress;
  }
}
