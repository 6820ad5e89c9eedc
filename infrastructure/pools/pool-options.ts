import type { DatabaseMetrics } from '../../application/ports/runtime/database-metrics.ts';
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
  /** Opens a connection, and has proved that it leads to the right database. */
  readonly connect: () => Promise<PgConnection>;
  readonly acquireTimeoutMs: number;
  /** How many may wait for a connection; the next one is refused at once. */
  readonly maxWaiting: number;
  /** The error for a request that gets no connection because of the pool's own limit or the budget's. */
  readonly noPlaceError: (limit: 'pool' | 'budget', retryAfterMs: number) => Error;
  readonly budget: ConnectionBudget;
  /** Shared by all pools of the server. */
  readonly serverBreaker: CircuitBreaker;
  /** Whether the event loop is too busy for more connections to bring anything; never by default. */
  readonly isSaturated?: () => boolean;
  /** The circuit of an earlier pool of the same database, whose back-off goes on; a new one by default. */
  readonly breaker?: CircuitBreaker | undefined;
  /** What is told of waits and statements; nobody by default. */
  readonly metrics?: PoolMetrics | undefined;
}

export type PoolMetrics = Pick<DatabaseMetrics, 'queried' | 'waited'>;
