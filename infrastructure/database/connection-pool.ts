import { DatabaseConnectionError, DomainError } from '../../domain/exceptions.ts';
import type { PoolSnapshot } from '../../application/ports/organization-databases.ts';
import type { BudgetedPool, ConnectionBudget } from './connection-budget.ts';
import type { PgConnection, Query } from './pg-connection.ts';
import { breaksConnection, translateError } from './postgres-errors.ts';

export interface PoolOptions {
  readonly databaseName: string;
  /** Opens a connection that is known to be the right database's. */
  readonly connect: () => Promise<PgConnection>;
  /** Connections kept when idle. */
  readonly size: number;
  /** Connections above `size`, closed when they are returned and nobody waits. */
  readonly maxOverflow: number;
  readonly acquireTimeoutMs: number;
  /** Why nobody could be served in time: the pool's own limit, or the budget's. */
  readonly timeoutError: (limit: 'pool' | 'budget') => Error;
  readonly budget: ConnectionBudget;
}

/** A statement that only reads may be sent again when its connection broke under it. */
export interface PoolQuery<Row> extends Query<Row> {
  readonly readOnly: boolean;
}

/** Runs the statements of one transaction, in their order; refuses when the transaction is over. */
export interface TransactionExecutor {
  query<Row>(query: Query<Row>): Promise<readonly Row[]>;
}

interface Waiter {
  readonly resolve: (connection: PgConnection) => void;
  readonly reject: (error: unknown) => void;
}

/** A connection idle for longer is asked whether it is alive before it is used; measured: free below this. */
const PROBE_AFTER_IDLE_MS = 1000;

/**
 * The connections to one database. Opens none before it is asked, keeps at most `size` idle, and holds a slot of the
 * budget for each. Waiters are served in the order they came. No timers but those of waiters.
 */
export class ConnectionPool implements BudgetedPool {
  readonly #options: PoolOptions;
  /** Last in, first out: what is not needed stays unused and expires. */
  readonly #idle: PgConnection[] = [];
  readonly #waiters = new Set<Waiter>();
  #slots = 0;
  #connecting = 0;
  #closing = 0;
  #closed = false;
  #failing = false;
  #whenEmpty: () => void = () => undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get databaseName(): string {
    return this.#options.databaseName;
  }

  /** Whether the last attempt to connect failed. */
  get isFailing(): boolean {
    return this.#failing;
  }

  get slots(): number {
    return this.#slots;
  }

  get wantsSlot(): boolean {
    return !this.#closed && this.#connecting < this.#waiters.size && this.#slots < this.#max;
  }

  snapshot(): PoolSnapshot {
    const idle = this.#idle.length;
    const open = this.#slots - this.#closing;
    return { open, idle, inUse: open - idle, waiting: this.#waiters.size };
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
        return await connection.query(query);
      } catch (error) {
        if (!breaksConnection(error) || !query.readOnly || retried) throw this.#translate(error);
      } finally {
        this.#release(connection);
      }
    }
  }

  /** Runs `work` in one transaction. Never retried: nobody knows here what else `work` did. */
  async transaction<Result>(work: (executor: TransactionExecutor) => Promise<Result>): Promise<Result> {
    const connection = await this.#acquire();
    let over = false;
    const executor: TransactionExecutor = {
      query: (query) => {
        if (over) return Promise.reject(new Error('the transaction is over'));
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
      if (!connection.isReusable) await rollBack(connection);
      throw this.#translate(error);
    } finally {
      this.#release(connection);
    }
  }

  /** Runs `work` with a connection of its own, whatever it does to the session: nothing of that survives. */
  async session<Result>(work: (connection: PgConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.#acquire();
    try {
      return await work(connection);
    } catch (error) {
      // What the server says of other databases than this one is for `work`'s caller to judge.
      throw breaksConnection(error) ? this.#translate(error) : error;
    } finally {
      await resetSession(connection);
      this.#release(connection);
    }
  }

  /** Tries a failing pool again. Never rejects. */
  async recovers(): Promise<boolean> {
    return this.query({ text: 'select', values: [], readOnly: true }).then(
      () => true,
      // No place in time says that the pool is busy, not that its database is broken.
      (error: unknown) => error instanceof DomainError && !(error instanceof DatabaseConnectionError),
    );
  }

  /** Closes connections that nobody used since `before` (in `performance.now()`). */
  closeIdleSince(before: number): void {
    while (this.#idle[0] !== undefined && this.#idle[0].lastUsedAt < before) this.closeIdle();
  }

  closeIdle(): void {
    const connection = this.#idle.shift();
    if (connection === undefined) return;
    // On its way out before the budget hears of it; and losing a connection is no use: the order of use stays.
    this.#discard(connection);
    if (this.#idle.length === 0) this.#options.budget.markIdle(this, false);
  }

  grantSlot(): void {
    this.#connect();
  }

  /** Refuses new work, lets running work end, and resolves when the last connection is closed. Safe to call twice. */
  close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.reject(this.#closedError());
    this.#waiters.clear();
    while (this.#idle.length > 0) this.closeIdle();
    this.#options.budget.leave(this);
    if (this.#slots === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const previous = this.#whenEmpty;
      this.#whenEmpty = () => {
        previous();
        resolve();
      };
    });
  }

  get #max(): number {
    return this.#options.size + this.#options.maxOverflow;
  }

  async #acquire(): Promise<PgConnection> {
    const deadline = performance.now() + this.#options.acquireTimeoutMs;
    for (;;) {
      if (this.#closed) throw this.#closedError();
      const connection = this.#takeIdle() ?? (await this.#wait(deadline - performance.now()));
      const rested = performance.now() - connection.lastUsedAt > PROBE_AFTER_IDLE_MS;
      if (rested ? await connection.answers() : connection.isReusable) return connection;
      this.#discard(connection);
    }
  }

  #takeIdle(): PgConnection | undefined {
    const connection = this.#idle.pop();
    if (connection !== undefined) this.#options.budget.markIdle(this, this.#idle.length > 0);
    return connection;
  }

  #wait(timeoutMs: number): Promise<PgConnection> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(this.#options.timeoutError(this.#slots >= this.#max ? 'pool' : 'budget'));
      }, timeoutMs);
      const waiter: Waiter = {
        resolve: (connection) => {
          clearTimeout(timer);
          resolve(connection);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      this.#grow();
    });
  }

  #grow(): void {
    while (this.wantsSlot && this.#options.budget.take(this)) this.#connect();
  }

  /** Opens a connection in a slot that the budget has given. */
  #connect(): void {
    this.#slots += 1;
    this.#connecting += 1;
    this.#options.connect().then(
      (connection) => {
        this.#connecting -= 1;
        this.#failing = false;
        connection.onLost(() => this.#dropIdle(connection));
        this.#hand(connection);
      },
      (error: unknown) => {
        this.#connecting -= 1;
        this.#failing = true;
        // Whatever the server refuses a login for, its right to connect included, the database cannot be used.
        this.#shiftWaiter()?.reject(error instanceof DomainError ? error : this.#unavailable(error));
        this.#freeSlot(false);
      },
    );
  }

  #release(connection: PgConnection): void {
    connection.lastUsedAt = performance.now();
    this.#hand(connection);
  }

  /** Gives a free connection to whoever has the best claim: the next waiter, another pool, or the idle ones. */
  #hand(connection: PgConnection): void {
    const { budget, size } = this.#options;
    if (this.#closed || !connection.isReusable || budget.shouldYield(this)) return this.#discard(connection);
    const waiter = this.#shiftWaiter();
    if (waiter !== undefined) return waiter.resolve(connection);
    if (this.#slots - this.#closing > size) return this.#discard(connection);
    this.#idle.push(connection);
    return budget.markIdle(this, true);
  }

  #shiftWaiter(): Waiter | undefined {
    const [waiter] = this.#waiters;
    if (waiter !== undefined) this.#waiters.delete(waiter);
    return waiter;
  }

  #dropIdle(connection: PgConnection): void {
    const index = this.#idle.indexOf(connection);
    // In use: whoever uses it sees the error, and `#release` discards it.
    if (index === -1) return;
    this.#idle.splice(index, 1);
    this.#discard(connection);
    if (this.#idle.length === 0) this.#options.budget.markIdle(this, false);
  }

  #discard(connection: PgConnection): void {
    this.#closing += 1;
    this.#options.budget.closing();
    void connection.close().finally(() => {
      this.#closing -= 1;
      this.#freeSlot(true);
    });
  }

  #freeSlot(wasClosing: boolean): void {
    this.#slots -= 1;
    this.#options.budget.release(this, wasClosing);
    if (this.#closed && this.#slots === 0) this.#whenEmpty();
    else this.#grow();
  }

  #translate(error: unknown): unknown {
    return translateError(error, this.#options.databaseName);
  }

  #unavailable(cause: unknown): Error {
    return new DatabaseConnectionError(
      `The database "${this.#options.databaseName}" cannot be used now.`,
      cause,
    );
  }

  #closedError(): Error {
    return new DatabaseConnectionError(`The pool of "${this.#options.databaseName}" is closed.`);
  }
}

/** Never rejects: a connection on which even this fails is not reusable, and is closed. */
const rollBack = async (connection: PgConnection): Promise<void> => {
  await connection.execute('rollback').catch(() => undefined);
};

const resetSession = async (connection: PgConnection): Promise<void> => {
  if (!connection.isReusable) return;
  await connection.execute(RESET_SESSION).catch(() => connection.close());
};

/** `discard all`, but for prepared statements: the driver would go on believing that its named ones are there. */
const RESET_SESSION = `close all; set session authorization default; reset all; unlisten *; select pg_advisory_unlock_all();
  discard plans; discard temp; discard sequences`;
