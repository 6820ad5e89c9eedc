import type { BudgetedPool } from './connection-budget.ts';
import type { PoolCircuits } from './pool-circuits.ts';
import type { PoolOptions } from './pool-options.ts';
import type { WaitQueue } from './wait-queue.ts';

/** Nobody waits for longer beside an idle connection. */
const MAX_WAIT_MS = 250;

/** Requests that give their connection back within this time hold it for moments only. */
const QUICK_MS = 25;

export interface SaturationLimitDeps {
  readonly pool: BudgetedPool;
  readonly options: PoolOptions;
  readonly queue: WaitQueue;
  readonly circuits: PoolCircuits;
}

/**
 * Whether a pool should keep one connection in use and let the others stay idle, although requests wait: while the event
 * loop is saturated and other pools are active, a second connection only makes the other pools wait longer. It does not
 * apply when the one in use is held for long, when a request has waited for long, or when one would be turned away.
 * Decision 0008.
 */
export class SaturationLimit {
  readonly #deps: SaturationLimitDeps;
  /** When a connection was last given back, in `performance.now()`. */
  #releasedAt = -Infinity;

  constructor(deps: SaturationLimitDeps) {
    this.#deps = deps;
  }

  /** A connection was given back. */
  released(now: number): void {
    this.#releasedAt = now;
  }

  get applies(): boolean {
    const { pool, options, queue, circuits } = this.#deps;
    const { acquireTimeoutMs, budget, maxWaiting, isSaturated } = options;
    return (
      queue.size < maxWaiting &&
      queue.waitedMs < Math.min(MAX_WAIT_MS, acquireTimeoutMs / 4) &&
      performance.now() - this.#releasedAt < QUICK_MS &&
      isSaturated?.() === true &&
      budget.isShared(pool) &&
      circuits.areClosed
    );
  }
}
