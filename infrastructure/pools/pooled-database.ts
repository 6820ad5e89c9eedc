import type { ConnectionPool } from './connection-pool.ts';
import type { PgConnection, Query } from '../postgres/pg-connection.ts';
import { breaksConnection, isStaleStatement, translateError } from '../postgres/postgres-errors.ts';
import type { WorkScope } from './work-scope.ts';

/** A statement that only reads may be sent again when its connection broke under it. */
export interface PoolQuery<Row> extends Query<Row> {
  readonly readOnly: boolean;
}

/** Runs the statements of one transaction, in their order; refuses when the transaction is over. */
export interface TransactionExecutor {
  query<Row>(query: Query<Row>): Promise<readonly Row[]>;
}

/** Runs statements on the connections of a pool, until the scope of a lease ends, or for as long as the pool lives. */
export class PooledDatabase {
  readonly #pool: ConnectionPool;
  readonly #scope: WorkScope | undefined;

  constructor(pool: ConnectionPool, scope?: WorkScope) {
    this.#pool = pool;
    this.#scope = scope;
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
      const connection = await this.#acquire();
      try {
        this.#countQuery();
        return await connection.query(query);
      } catch (error) {
        const repeatable = isStaleStatement(error) || (query.readOnly && breaksConnection(error));
        if (!repeatable || retried) throw this.#translate(error);
      } finally {
        this.#release(connection);
      }
    }
  }

  /**
   * Runs `work` in one transaction. Never retried: what else `work` did is not known here.
   *
   * @throws {DatabaseConnectionError} also when the connection broke: the transaction may then be committed or not
   */
  async transaction<Result>(work: (executor: TransactionExecutor) => Promise<Result>): Promise<Result> {
    const connection = await this.#acquire();
    let over = false;
    const executor: TransactionExecutor = {
      query: (query) => {
        if (over) return Promise.reject(new Error('the transaction is over'));
        this.#countQuery();
        return connection.query(query);
      },
    };
    try {
      await connection.execute('begin');
      const result = await work(executor);
      over = true;
      // A transaction in which a statement failed answers COMMIT with ROLLBACK, and no error.
      if ((await connection.execute('commit')) !== 'COMMIT')
        throw new Error('a failed transaction was committed');
      return result;
    } catch (error) {
      over = true;
      // Not on a connection whose server says nothing: the request would wait for it a second time.
      if (connection.isInTransaction) await rollBack(connection);
      throw this.#translate(error);
    } finally {
      this.#release(connection);
    }
  }

  /** Runs `work` with a connection for itself. What `work` does to the session is undone before the next user. */
  async session<Result>(work: (connection: PgConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.#acquire();
    try {
      return await work(connection);
    } catch (error) {
      // Other errors may be about other databases: the caller of `work` judges them.
      throw breaksConnection(error) ? this.#translate(error) : error;
    } finally {
      await connection.reset();
      this.#release(connection);
    }
  }

  async #acquire(): Promise<PgConnection> {
    const connection = await this.#wait();
    try {
      this.#scope?.beginStatement(connection);
    } catch (error) {
      this.#pool.release(connection);
      throw error;
    }
    return connection;
  }

  async #wait(): Promise<PgConnection> {
    if (this.#scope === undefined) return await this.#pool.acquire();
    const beganAt = performance.now();
    try {
      return await this.#pool.acquire(this.#scope);
    } finally {
      this.#scope.cost.waitedMs += performance.now() - beganAt;
    }
  }

  #countQuery(): void {
    if (this.#scope !== undefined) this.#scope.cost.queries += 1;
  }

  #release(connection: PgConnection): void {
    this.#scope?.endStatement(connection);
    this.#pool.release(connection);
  }

  #translate(error: unknown): unknown {
    return translateError(error, this.#pool.databaseName);
  }
}

/** Never rejects: a connection on which even this fails is not reusable, and is closed. */
const rollBack = async (connection: PgConnection): Promise<void> => {
  await connection.execute('rollback').catch(() => undefined);
};
