import type { FleetClaim, FleetLane, FleetLedger } from '../ports/fleet/fleet-ledger.ts';
import type { RunnerSettings } from './fleet-ports.ts';

/** Reports are written together, and claims made together, for as much work as takes this long. */
export const BATCH_MS = 250;
const MAX_BATCH = 32;
/** How often a lane looks whether deferred items are due, or other runners are through. */
export const POLL_MS = 200;

/** What a lane uses of the runner that it belongs to. */
export interface LaneShift {
  readonly runId: number;
  readonly runner: string;
  readonly ledger: FleetLedger;
  readonly settings: RunnerSettings;
  readonly isOver: boolean;
  /** Ends all lanes after the databases under way. */
  stop(): void;
  /** Returns how long it took, in milliseconds. */
  migrate(claim: FleetClaim): Promise<number>;
  /** Writes the reports that are due. */
  flush(): Promise<void>;
  /** For a lane that finds nothing to claim. */
  whatNow(): Promise<'look again' | 'rest' | 'leave'>;
}

/** The databases of one server: what is claimed there, and so many workers. A server that is slow or away holds up no other. */
export class Lane {
  readonly #shift: LaneShift;
  readonly #lane: FleetLane;
  readonly #concurrency: number;
  readonly #queue: FleetClaim[] = [];
  #refilling: Promise<boolean> | null = null;
  #wakes = 0;
  #wake: () => void = () => undefined;
  /** Of the attempts so far; null before the first. */
  #averageMs: number | null = null;

  constructor(shift: LaneShift, lane: FleetLane, concurrency: number) {
    this.#shift = shift;
    this.#lane = lane;
    this.#concurrency = concurrency;
  }

  async work(): Promise<void> {
    const ends = await Promise.allSettled(
      Array.from({ length: this.#concurrency }, () => this.#workThrough()),
    );
    // One under way ahead of need may still make claims.
    await this.#refilling?.catch(() => undefined);
    const broken = ends.find((end) => end.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
  }

  wake(): void {
    this.#wakes += 1;
    this.#wake();
  }

  /** Hands what was claimed ahead to `giveBack`. What that rejects for is still held by this runner, and worked on. */
  async empty(giveBack: (claims: readonly FleetClaim[]) => Promise<void>): Promise<void> {
    const claims = this.#queue.splice(0);
    if (claims.length === 0) return;
    try {
      await giveBack(claims);
    } catch (error) {
      this.#queue.push(...claims);
      throw error;
    }
  }

  async #workThrough(): Promise<void> {
    const shift = this.#shift;
    try {
      while (!shift.isOver) {
        const claim = this.#queue.shift();
        if (claim === undefined) {
          if (!(await this.#refill())) return;
          continue;
        }
        // Nobody waits for this one: those who find the queue empty do, and see how it ends.
        if (this.#queue.length < this.#concurrency) this.#refill().catch(() => undefined);
        const durationMs = await shift.migrate(claim);
        this.#averageMs = (this.#averageMs ?? durationMs) * 0.9 + durationMs * 0.1;
      }
    } catch (error) {
      shift.stop();
      throw error;
    }
  }

  get #batch(): number {
    if (this.#averageMs === null) return this.#concurrency;
    const worth = Math.ceil((this.#concurrency * BATCH_MS) / Math.max(1, this.#averageMs));
    return Math.max(this.#concurrency, Math.min(MAX_BATCH, worth));
  }

  /** Workers share one look at the ledger; returns whether it is worth looking on. */
  #refill(): Promise<boolean> {
    this.#refilling ??= this.#look().finally(() => {
      this.#refilling = null;
    });
    return this.#refilling;
  }

  async #look(): Promise<boolean> {
    const { ledger, runId, runner, settings } = this.#shift;
    await this.#shift.flush();
    if (this.#shift.isOver) return false;
    const wakesBefore = this.#wakes;
    const claims = await ledger.claim(runId, runner, this.#lane, this.#batch, settings.leaseMs);
    this.#queue.push(...claims);
    if (claims.length > 0 || (await ledger.advance(runId))) return true;
    const next = await this.#shift.whatNow();
    // One that ended while the ledger answered may be what the next wave waits for.
    if (next === 'rest' && this.#wakes === wakesBefore) await this.#rest();
    return next !== 'leave';
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
}
