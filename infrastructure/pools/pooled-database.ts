import type { QueryOutcome } from '../../application/ports/runtime/database-metrics.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { ConnectionTrace, type LeaseTrace } from './connection-trace.ts';
import type { Answer, PgConnection, Queries, Query } from '../postgres/pg-connection.ts';
import { breaksConnection, isStaleStatement, translateError } from '../postgres/postgres-errors.ts';
import type { WorkScope } from './work-scope.ts';

/** A statement that only reads may be sent again when its connection broke under it. */
export interface PoolQuery<Row> extends Query<Row> {
  readonly readOnly: boolean;
}

const BEGIN = { name: 'begin', text: 'begin', values: [] };
const COMMIT = { name: 'commit', text: 'commit', values: [] };

export interface TransactionQuery<Row> extends Query<Row> {
  /** Nobody reads its rows: it is sent with the next statement or the commit, and fails there. Default: false. */
  readonly isDeferrable?: boolean;
}

/** Runs the statements of one transaction, in their order; refuses when the transaction is over. */
export interface TransactionExecutor {
  query<Row>(query: TransactionQuery<Row>): Promise<readonly Row[]>;
}

/** Runs statements on the connections of a pool, until the scope of a lease ends, or for as long as the pool lives. */
export class PooledDatabase {
  readonly #pool: ConnectionPool;
  readonly #scope: WorkScope | undefined;
  readonly #lease: LeaseTrace | null;

  /** @param lease under which the statements are recorded; null: they are not */
  constructor(pool: ConnectionPool, scope?: WorkScope, lease: LeaseTrace | null = null) {
    this.#pool = pool;
    this.#scope = scope;
    this.#lease = lease;
  }

  /** How many requests wait for a connection. */
  get waiting(): number {
    return this.#pool.snapshot().waiting;
  }

  /**
   * Runs one statement on its own.
   *
   * @throws {DatabaseConnectionError} also when the connection broke: a write may then have happened or not
   */
  async query<Row>(query: PoolQuery<Row>): Promise<readonly Row[]> {
    for (let retried = false; ; retried = true) {
      const trace = this.#trace();
      const connection = await this.#acquire(trace);
      const sentAt = performance.now();
      try {
        const rows = await this.#begin(connection, query, trace);
        this.#ended(sentAt, 'ok');
        return rows;
      } catch (error) {
        this.#ended(sentAt, 'error');
        const repeatable = isStaleStatement(error) || (query.readOnly && breaksConnection(error));
        if (!repeatable || retried) throw this.#translate(error);
      } finally {
        this.#release(connection, trace);
      }
    }
  }

  /**
   * Runs `work` in one transaction. Never retried: what else `work` did is not known here. `begin` goes with the first
   * statement, deferrable ones with the next, so locks are held for fewer round trips.
   *
   * @throws {DatabaseConnectionError} also when the connection broke: the transaction may then be committed or not
   */
  async transaction<Result>(work: (executor: TransactionExecutor) => Promise<Result>): Promise<Result> {
    const trace = this.#trace();
    const connection = await this.#acquire(trace);
    let over = false;
    /** What goes with the next statement. */
    const unsent: Query<unknown>[] = [BEGIN];
    /** Settles when everything that was sent has its answer. */
    let answered: Promise<unknown> = Promise.resolve();
    // One after the other: a commit could overtake a statement that nobody awaits.
    const send = <Row>(query: Query<Row>): Promise<Answer<Row>> => {
      const queries: Queries<Row> = [...unsent.splice(0), query];
      const answer = answered.then(() => this.#send(connection, queries, trace));
      answered = answer.catch(() => undefined);
      return answer;
    };
    const executor: TransactionExecutor = {
      query: async (query) => {
        if (over) throw new Error('the transaction is over');
        if (query.isDeferrable !== true) return (await send(query)).rows;
        unsent.push(query);
        return [];
      },
    };
    try {
      const result = await work(executor);
      over = true;
      const isEmpty = unsent.length === 1 && unsent[0] === BEGIN;
      // A transaction in which a statement failed answers COMMIT with ROLLBACK, and no error.
      if (!isEmpty && (await send(COMMIT)).command !== 'COMMIT')
        throw new Error('a failed transaction was committed');
      return result;
    } catch (error) {
      over = true;
      // Until then, nobody knows whether a transaction has begun.
      await answered;
      // Not on a connection whose server says nothing: the request would wait for it a second time.
      if (connection.isInTransaction) await rollBack(connection);
      throw this.#translate(error);
    } finally {
      this.#release(connection, trace);
    }
  }

  /** Runs `work` with a connection for itself. What `work` does to the session is undone before the next user. */
  async session<Result>(work: (connection: PgConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.#acquire(null);
    try {
      return await work(connection);
    } catch (error) {
      // Other errors may be about other databases: the caller of `work` judges them.
      throw breaksConnection(error) ? this.#translate(error) : error;
    } finally {
      await connection.reset();
      this.#release(connection, null);
    }
  }

  /** @returns what the last one gave */
  async #send<Row>(
    connection: PgConnection,
    queries: Queries<Row>,
    trace: ConnectionTrace | null,
  ): Promise<Answer<Row>> {
    const asked = queries.filter((query) => query !== BEGIN && query !== COMMIT);
    if (this.#scope !== undefined) this.#scope.cost.queries += asked.length;
    const sentAt = performance.now();
    const ended = (outcome: QueryOutcome): void => asked.forEach(() => this.#ended(sentAt, outcome));
    try {
      const run = () => connection.queryAll(queries);
      const answer = await (trace === null ? run() : trace.run(connection, asked, run));
      ended('ok');
      return answer;
    } catch (error) {
      ended('error');
      throw error;
    }
  }

  #begin<Row>(
    connection: PgConnection,
    query: Query<Row>,
    trace: ConnectionTrace | null,
  ): Promise<readonly Row[]> {
    if (this.#scope !== undefined) this.#scope.cost.queries += 1;
    if (trace === null) return connection.query(query);
    return trace.run(connection, [query], () => connection.query(query));
  }

  #ended(sentAt: number, outcome: QueryOutcome): void {
    this.#pool.metrics?.queried((performance.now() - sentAt) / 1000, outcome);
  }

  #trace(): ConnectionTrace | null {
    return this.#lease === null ? null : new ConnectionTrace(this.#lease);
  }

  async #acquire(trace: ConnectionTrace | null): Promise<PgConnection> {
    const beganAt = performance.now();
    let connection: PgConnection;
    try {
      connection = await this.#pool.acquire(this.#scope);
    } catch (error) {
      this.#waited(beganAt);
      trace?.refused(error);
      throw error;
    }
    this.#waited(beganAt);
    trace?.got();
    try {
      this.#scope?.beginStatement(connection);
    } catch (error) {
      this.#pool.release(connection);
      trace?.refused(error);
      throw error;
    }
    return connection;
  }

  #waited(beganAt: number): void {
    const waitedMs = performance.now() - beganAt;
    if (this.#scope !== undefined) this.#scope.cost.waitedMs += waitedMs;
    this.#pool.metrics?.waited(waitedMs / 1000);
  }

  #release(connection: PgConnection, trace: ConnectionTrace | null): void {
    this.#scope?.endStatement(connection);
    this.#pool.release(connection);
    trace?.end();
  }

  #translate(error: unknown): unknown {
    return translateError(error, this.#pool.databaseName);
  }
}

/** Never rejects: a connection on which even this fails is not reusable, and is closed. */
const rollBack = async (connection: PgConnection): Promise<void> => {
  await connection.execute('rollback').catch(() => undefined);
};
