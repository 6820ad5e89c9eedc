import type { CircuitBreaker } from './circuit-breaker.ts';
import type { ConnectionBudget } from './connection-budget.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';

/** How many connections a pool may have. */
export interface PoolSize {
  /** Connections kept when idle. */
  readonly size: number;
  /** Connections above `size`, closed when they are returned and nobody waits. */
  readonly maxOverflow: number;
}

export interface PoolOptions extends PoolSize {
  readonly databaseName: string;
  /** Opens a connection that is known to be the right database's. */
  readonly connect: () => Promise<PgConnection>;
  readonly acquireTimeoutMs: number;
  /** How many may wait for a connection; the next one is refused at once. */
  readonly maxWaiting: number;
  /** Says that the pool's own limit, or the budget's, leaves no place, and when to come again. */
  readonly noPlaceError: (limit: 'pool' | 'budget', retryAfterMs: number) => Error;
  readonly budget: ConnectionBudget;
  /** Shared by all pools of the server. */
  readonly serverBreaker: CircuitBreaker;
  /** Whether this process has no time for what more connections would bring; never by default. */
  readonly isSaturated?: () => boolean;
  /** Of an earlier pool of the same database, whose back-off goes on; a new one by default. */
  readonly breaker?: CircuitBreaker | undefined;
}
