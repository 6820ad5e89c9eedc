import type { BudgetedPool } from './connection-budget.ts';
import type { PoolCircuits } from './pool-circuits.ts';
import type { PoolOptions } from './pool-options.ts';
import type { WaitQueue } from './wait-queue.ts';

/** Nobody waits for longer beside a connection that rests. */
const REST_MS = 250;

/** Connections that come back within this time are held for moments alone. */
const QUICK_MS = 25;

/**
 * Whether one connection at work is enough for a pool: where the processor is what all wait for, a second one would only
 * have the others wait longer. Not when that one is held by work that takes its time, nor for long, nor so that anybody
 * would be turned away.
 */
export class SaturationLimit {
  readonly #options: PoolOptions;
  readonly #line: WaitQueue;
  readonly #circuits: PoolCircuits;
  /** When a connection was last given back, in `performance.now()`. */
  #cameBackAt = -Infinity;

  constructor(options: PoolOptions, line: WaitQueue, circuits: PoolCircuits) {
    this.#options = options;
    this.#line = line;
    this.#circuits = circuits;
  }

  cameBack(now: number): void {
    this.#cameBackAt = now;
  }

  isOf(pool: BudgetedPool): boolean {
    const { acquireTimeoutMs, budget, maxWaiting, isSaturated } = this.#options;
    return (
      this.#line.size < maxWaiting &&
      this.#line.waitedMs < Math.min(REST_MS, acquireTimeoutMs / 4) &&
      performance.now() - this.#cameBackAt < QUICK_MS &&
      isSaturated?.() === true &&
      budget.isShared(pool) &&
      this.#circuits.areClosed
    );
  }
}
