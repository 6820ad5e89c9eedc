import { ConnectionBudgetExhaustedError, OrganizationBusyError } from '../../domain/databases/errors.ts';
import { ConnectionBudget } from '../../infrastructure/pools/connection-budget.ts';
import { CircuitBreaker } from '../../infrastructure/pools/circuit-breaker.ts';
import { ConnectionPool } from '../../infrastructure/pools/connection-pool.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import type { PoolOptions } from '../../infrastructure/pools/pool-options.ts';
import { PooledDatabase, type PoolQuery } from '../../infrastructure/pools/pooled-database.ts';

export interface TestPool {
  readonly pool: ConnectionPool;
  /** Connections opened so far, those that were closed again included. */
  readonly connects: () => number;
}

export const openConnection = (url: string, applicationName = 'test'): Promise<PgConnection> =>
  PgConnection.open({
    url: DatabaseUrl.parse(url),
    applicationName,
    connectTimeoutMs: 5000,
    deadlines: { statementTimeoutMs: 10_000 },
  });

/** A pool on a test database that counts its connects; close it. */
export const testPool = (url: string, overrides: Partial<PoolOptions> = {}): TestPool => {
  let connects = 0;
  const databaseName = DatabaseUrl.parse(url).database;
  const pool = new ConnectionPool({
    databaseName,
    connect: () => {
      connects += 1;
      return openConnection(url, databaseName);
    },
    size: 1,
    maxOverflow: 0,
    acquireTimeoutMs: 5000,
    maxWaiting: Infinity,
    noPlaceError: (limit) =>
      limit === 'pool' ? new OrganizationBusyError() : new ConnectionBudgetExhaustedError(),
    budget: new ConnectionBudget(Infinity),
    serverBreaker: testBreaker(),
    ...overrides,
  });
  return { pool, connects: () => connects };
};

/** Never opens. */
export const testBreaker = (): CircuitBreaker =>
  new CircuitBreaker({ threshold: Infinity, minDelayMs: 1, maxDelayMs: 1 });

/** The pool's connections, with statements. */
export const on = (pool: ConnectionPool): PooledDatabase => new PooledDatabase(pool);

export const read = <Row = { pid: number }>(
  text = 'select pg_backend_pid() as pid',
  values: readonly unknown[] = [],
): PoolQuery<Row> => ({ text, values, readOnly: true });

export const write = <Row = never>(text: string, values: readonly unknown[] = []): PoolQuery<Row> => ({
  text,
  values,
  readOnly: false,
});

/** Holds a connection of the pool until the gate opens. */
export const occupy = (pool: ConnectionPool, gate: { pass(): Promise<void> }): Promise<void> =>
  on(pool).transaction(() => gate.pass());
