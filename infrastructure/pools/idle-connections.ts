import type { BudgetedPool, ConnectionBudget } from './connection-budget.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';

/**
 * The connections of a pool that nobody uses. Last in, first out: what is not needed stays unused and expires. The budget
 * knows at every moment whether there are any, or it would wait for ever for one to close.
 */
export class IdleConnections {
  readonly #pool: BudgetedPool;
  readonly #budget: ConnectionBudget;
  readonly #discard: (connection: PgConnection) => void;
  /** Those given back longest ago first. */
  readonly #connections: PgConnection[] = [];

  /** @param discard puts a connection on its way out */
  constructor(pool: BudgetedPool, budget: ConnectionBudget, discard: (connection: PgConnection) => void) {
    this.#pool = pool;
    this.#budget = budget;
    this.#discard = discard;
  }

  get size(): number {
    return this.#connections.length;
  }

  add(connection: PgConnection): void {
    this.#connections.push(connection);
    this.#budget.markIdle(this.#pool, true);
  }

  take(): PgConnection | undefined {
    const connection = this.#connections.pop();
    if (connection !== undefined) this.#budget.markIdle(this.#pool, this.size > 0);
    return connection;
  }

  /** Closes the one that was used longest ago, if that was before `before` (in `performance.now()`); returns whether. */
  closeOldest(before = Infinity): boolean {
    const [oldest] = this.#connections;
    return oldest !== undefined && oldest.lastUsedAt < before && this.close(oldest);
  }

  /** False when it is not one of these: somebody uses it. */
  close(connection: PgConnection): boolean {
    const index = this.#connections.indexOf(connection);
    if (index === -1) return false;
    this.#connections.splice(index, 1);
    // On its way out before the budget hears of it; and losing a connection is no use: the order of use stays.
    this.#discard(connection);
    if (this.size === 0) this.#budget.markIdle(this.#pool, false);
    return true;
  }
}
