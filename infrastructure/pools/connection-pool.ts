import { DatabaseConnectionError, DomainError } from '../../domain/exceptions.ts';
import type { PoolSnapshot } from '../../application/ports/databases/organization-databases.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { BudgetedPool } from './connection-budget.ts';
import { SaturationLimit } from './saturation-limit.ts';
import { GrowthThrottle } from './growth-throttle.ts';
import { IdleConnections } from './idle-connections.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { PoolCircuits } from './pool-circuits.ts';
import type { PoolOptions, PoolSize } from './pool-options.ts';
import { isServerAnswer, isServerFull } from '../postgres/postgres-errors.ts';
import { WaitQueue } from './wait-queue.ts';
import { LeaseReleasedError, WorkScope } from './work-scope.ts';

/** A connection idle for longer is asked whether it is alive before it is used; measured: free below this. */
const PROBE_AFTER_IDLE_MS = 1000;

/** One failed connect is an accident, and the next request finds out at once. */
const BREAKER = { threshold: 3, minDelayMs: 250, maxDelayMs: 10_000 };

/** How long anybody waits for a server that is being tried again: the try goes on, and decides about the next one. */
const TRY_PATIENCE_MS = 50;

/** A pool whose connections are no longer fit is replaced at most so often. */
const RECYCLE_EVERY_MS = 1000;

/** How long a failing database may take to prove that it is back. */
const RECOVERY_DEADLINE_MS = 1000;

/**
 * The connections to one database. Opens none before it is asked, keeps at most `size` idle, and holds a slot of the
 * budget for each. Waiters are served in the order they came. No timers but those of waiters.
 */
export class ConnectionPool implements BudgetedPool {
  readonly #options: PoolOptions;
  #size: PoolSize;
  readonly #idle: IdleConnections;
  readonly #line = new WaitQueue();
  readonly #circuits: PoolCircuits;
  readonly #crowding: SaturationLimit;
  /** Connections opened before this, in `performance.now()`, are not used again. */
  #recycledAt = -Infinity;
  /** Connections not used since then, in `performance.now()`, may have broken like one that did. */
  #suspectBefore = 0;
  #slots = 0;
  #connecting = 0;
  #closing = 0;
  #closed = false;
  /** A first connection is opened at once, further ones at this pace. */
  readonly #pace: GrowthThrottle;
  #whenEmpty: () => void = () => undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#size = options;
    this.#idle = new IdleConnections(this, options.budget, (connection) => this.#discard(connection));
    this.#pace = new GrowthThrottle(this.#line, options.isSaturated ?? (() => false), () => this.#grow());
    this.#circuits = new PoolCircuits(options.breaker ?? new CircuitBreaker(BREAKER), options.serverBreaker);
    this.#crowding = new SaturationLimit(options, this.#line, this.#circuits);
  }

  get databaseName(): string {
    return this.#options.databaseName;
  }

  get breaker(): CircuitBreaker {
    return this.#circuits.own;
  }

  /** Whether the last attempt to connect failed. */
  get isFailing(): boolean {
    return this.#circuits.own.isFailing;
  }

  get slots(): number {
    return this.#slots;
  }

  get wantsSlot(): boolean {
    return (
      !this.#closed &&
      this.#idle.size === 0 &&
      this.#connecting < this.#line.size &&
      this.#slots < this.#max &&
      (this.#slots === this.#closing || this.#pace.allows) &&
      this.#circuits.allow
    );
  }

  snapshot(): PoolSnapshot {
    const idle = this.#idle.size;
    const open = this.#slots - this.#closing;
    return { open, idle, inUse: open - idle, waiting: this.#line.size };
  }

  /**
   * A connection for the caller alone, proved to be alive; give it back with `release`.
   *
   * @throws {DatabaseConnectionError} when the database or its server cannot be reached
   * @throws what `noPlaceError` makes, when no connection is free in time
   */
  async acquire(scope?: WorkScope): Promise<PgConnection> {
    const deadline = performance.now() + this.#patienceMs;
    for (;;) {
      scope?.assertOpen();
      if (this.#closed) throw this.#closedError();
      const connection = this.#takeFree() ?? (await this.#wait(deadline - performance.now(), scope));
      const now = performance.now();
      const restedBefore = Math.max(now - PROBE_AFTER_IDLE_MS, this.#suspectBefore);
      const rested = connection.lastUsedAt < restedBefore;
      if (rested ? await this.#answers(connection, deadline - now) : connection.isReusable) {
        connection.lastUsedAt = now;
        this.#options.budget.used(this);
        return connection;
      }
      this.#discard(connection);
      if (!rested) continue;
      // Those that lay beside it are most likely as dead, and to ask each of them would take as long again.
      this.closeIdleSince(restedBefore);
      if (performance.now() >= deadline) throw this.#unavailable(new Error('a connection did not answer'));
    }
  }

  /**
   * Opens the first connection ahead of its use, if there is a place for it at once. Tries no circuit that is not closed.
   * Over when that has ended, however it did; never rejects.
   */
  async prepare(): Promise<void> {
    if (this.#slots === 0 && this.#circuits.areClosed && this.#options.budget.take(this))
      await this.#connect();
  }

  release(connection: PgConnection): void {
    const now = performance.now();
    if (!connection.isReusable) {
      this.#suspectBefore = now;
      // Once for all that are as old; not for each of those that are told the same when they are new.
      const isRecycled = connection.openedAt < this.#recycledAt || now - this.#recycledAt < RECYCLE_EVERY_MS;
      if (connection.isOutlived && !isRecycled) this.recycle();
    }
    this.#line.observeTurn(now - connection.lastUsedAt);
    this.#crowding.cameBack(now);
    connection.lastUsedAt = now;
    this.#hand(connection);
  }

  /** Tries a failing database again, for a second at most; a busy one counts as alive. Never rejects. */
  async recovers(): Promise<boolean> {
    if (!this.isFailing) return true;
    const scope = new WorkScope();
    const deadline = setTimeout(() => scope.end(), RECOVERY_DEADLINE_MS).unref();
    try {
      this.release(await this.acquire(scope));
      return true;
    } catch (error) {
      // No place in time says that the pool is busy, not that its database is broken.
      if (error instanceof LeaseReleasedError) return this.#connecting === 0;
      return error instanceof DomainError && !(error instanceof DatabaseConnectionError);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Takes effect with the next connection that is opened or given back. */
  resize(size: PoolSize): void {
    this.#size = size;
    this.#grow();
  }

  /** Replaces every connection by a new one: idle ones now, those in use when they come back. */
  recycle(): void {
    this.#recycledAt = performance.now();
    this.closeIdleSince(Infinity);
  }

  /** Closes connections that nobody used since `before` (in `performance.now()`). */
  closeIdleSince(before: number): void {
    while (this.#idle.closeOldest(before));
  }

  closeIdle(): void {
    this.#idle.closeOldest();
  }

  grantSlot(): void {
    void this.#connect();
  }

  /** Refuses new work, lets running work end, and resolves when the last connection is closed. Safe to call twice. */
  close(): Promise<void> {
    this.#closed = true;
    this.#line.rejectAll(this.#closedError());
    this.#pace.stop();
    this.closeIdleSince(Infinity);
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
    return this.#size.size + this.#size.maxOverflow;
  }

  get #patienceMs(): number {
    const { acquireTimeoutMs, serverBreaker } = this.#options;
    return serverBreaker.state === 'closed' ? acquireTimeoutMs : Math.min(acquireTimeoutMs, TRY_PATIENCE_MS);
  }

  /** Nobody waits for the silence of a server that is known to be gone. */
  async #answers(connection: PgConnection, withinMs: number): Promise<boolean> {
    return this.#circuits.server.state !== 'open' && (await connection.answers(withinMs));
  }

  /** Whether there is a connection, idle or at work, that may serve whoever waits. */
  get #isConnected(): boolean {
    return this.#slots > this.#closing + this.#connecting;
  }

  /** Those that somebody has. */
  get #atWork(): number {
    return this.#slots - this.#closing - this.#connecting - this.#idle.size;
  }

  /** Nobody comes before those who wait. */
  #takeFree(): PgConnection | undefined {
    if (this.#idle.size === 0 || this.#line.size > 0) return undefined;
    return this.#atWork > 0 && this.#crowding.isOf(this) ? undefined : this.#idle.take();
  }

  /** Those who wait beside resting connections wait for one that is at work. */
  #serveWaiting(): void {
    while (this.#line.size > 0 && this.#idle.size > 0) {
      if (this.#atWork > 0 && this.#crowding.isOf(this)) return;
      const connection = this.#idle.take();
      if (connection === undefined) return;
      this.#line.serve(connection);
    }
  }

  #wait(timeoutMs: number, scope: WorkScope | undefined): Promise<PgConnection> {
    const refusal = this.#refusal();
    if (refusal !== null) return Promise.reject(refusal);
    const place = this.#line.join(timeoutMs, () => this.#tooLate(), scope);
    this.#grow();
    this.#pace.watch();
    return place;
  }

  /** Why it makes no sense to begin to wait. */
  #refusal(): Error | null {
    const { maxWaiting, noPlaceError } = this.#options;
    const { server, tripped } = this.#circuits;
    if (server.state === 'open') return this.#unavailable(undefined, server.retryInMs);
    // Whoever is the one try waits for its outcome, and nobody else.
    if (tripped !== undefined && !this.#circuits.allow && !this.#isConnected)
      return this.#unavailable(undefined, tripped.retryInMs);
    return this.#line.size >= maxWaiting ? noPlaceError('pool', this.#line.clearsInMs(this.#max)) : null;
  }

  #tooLate(): Error {
    if (this.#connecting > 0) return this.#unavailable(new Error('connecting took too long'));
    const { tripped } = this.#circuits;
    if (tripped !== undefined) return this.#unavailable(undefined, tripped.retryInMs);
    const limit = this.#slots >= this.#max || this.#idle.size > 0 ? 'pool' : 'budget';
    return this.#options.noPlaceError(limit, this.#line.clearsInMs(this.#slots));
  }

  #grow(): void {
    this.#serveWaiting();
    const { server } = this.#circuits;
    // It went while they waited: the probe, or another pool, has found out. What is at work may still come back to them.
    if (this.#line.size > 0 && server.state === 'open' && !this.#isConnected)
      this.#line.rejectAll(this.#unavailable(undefined, server.retryInMs));
    while (this.wantsSlot && this.#options.budget.take(this)) void this.#connect();
  }

  /** Opens a connection in a slot that the budget has given. Never rejects. */
  #connect(): Promise<void> {
    const { connect, budget } = this.#options;
    this.#slots += 1;
    this.#connecting += 1;
    this.#pace.used();
    this.#circuits.attempt();
    return connect().then(
      (connection) => {
        this.#connecting -= 1;
        this.#circuits.succeeded();
        budget.connected(this);
        // In use: whoever uses it sees the error, and `release` discards it.
        connection.onLost(() => this.#idle.close(connection));
        this.#hand(connection);
        // A half-open circuit let one attempt through; the others wait for its outcome.
        this.#grow();
      },
      (error: unknown) => {
        this.#connecting -= 1;
        this.#connectFailed(error);
        this.#freeSlot(false);
      },
    );
  }

  #connectFailed(error: unknown): void {
    const { budget } = this.#options;
    if (isServerFull(error)) {
      // It lives, and has connections of ours that will come free: whoever waits goes on waiting.
      this.#circuits.serverFull();
      return budget.serverFull();
    }
    budget.connectFailed();
    const isAccident = !this.isFailing && !isServerAnswer(error);
    this.#circuits.failed(error);
    // A connect that broke off once is tried again for whoever waits, unless it was the server's last chance.
    if (isAccident && this.#circuits.server.state !== 'open') return undefined;
    // Whatever the server refuses a login for, its right to connect included, the database cannot be used.
    this.#line.rejectFirst(error instanceof DomainError ? error : this.#unavailable(error));
    // `- 1`: the slot of this attempt.
    const hopeless = this.#slots - this.#closing - this.#connecting - 1 <= 0;
    const { tripped } = this.#circuits;
    if (hopeless && tripped !== undefined) this.#line.rejectAll(this.#unavailable(error, tripped.retryInMs));
    return undefined;
  }

  /** Gives a free connection to whoever has the best claim: the next waiter, another pool, or the idle ones. */
  #hand(connection: PgConnection): void {
    const { budget } = this.#options;
    const outdated = connection.openedAt < this.#recycledAt;
    if (this.#closed || outdated || !connection.isReusable || budget.shouldYield(this))
      return this.#discard(connection);
    const open = this.#slots - this.#closing;
    if (open > this.#max) return this.#discard(connection);
    const rests = this.#line.size > 0 && this.#atWork > 1 && this.#crowding.isOf(this);
    if (!rests && this.#line.serve(connection)) return this.#serveWaiting();
    if (!rests && open > this.#size.size) return this.#discard(connection);
    return this.#idle.add(connection);
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

  #unavailable(cause: unknown, retryAfterMs: number | null = null): Error {
    return new DatabaseConnectionError(
      `The database "${this.#options.databaseName}" cannot be used now.`,
      cause,
      retryAfterMs,
    );
  }

  #closedError(): Error {
    return new DatabaseConnectionError(`The pool of "${this.#options.databaseName}" is closed.`);
  }
}
