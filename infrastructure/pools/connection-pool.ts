import { DatabaseConnectionError, DomainError } from '../../domain/exceptions.ts';
import type { PoolSnapshot } from '../../application/ports/databases/organization-databases.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { isServerFull, RoleFullError } from '../postgres/postgres-errors.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { BudgetedPool } from './connection-budget.ts';
import { ConnectionFitness } from './connection-fitness.ts';
import type { ConnectionSlot } from './connection-slot.ts';
import { GrowthThrottle } from './growth-throttle.ts';
import { OpenConnections, type OpenConnection } from './open-connections.ts';
import { PoolCircuits } from './pool-circuits.ts';
import type { PoolMetrics, PoolOptions, PoolSize } from './pool-options.ts';
import { SaturationLimit } from './saturation-limit.ts';
import { SlotCounts } from './slot-counts.ts';
import { WaitPolicy } from './wait-policy.ts';
import { WaitQueue } from './wait-queue.ts';
import { LeaseReleasedError, WorkScope } from './work-scope.ts';

/** How long a failing database may take to prove that it is back. */
const RECOVERY_DEADLINE_MS = 1000;

/**
 * The connections to one database. The pool opens none before it is asked, has at most `size + maxOverflow`, and keeps at
 * most `size` of them idle. Each connection holds a slot of the budget; `ConnectionSlot` has its states and moves.
 *
 * ## A request asks for a connection (`acquire`)
 *
 * It gets the idle connection that was used last, unless other requests wait already; else it waits. It is refused at once
 * when the queue is full, or an open circuit lets no connect through and no connection is open. A connection that was
 * idle for a while is probed first. When it does not answer, the request starts over, until its deadline.
 *
 * ## A connection becomes free (`#place`): its connect succeeded, or a request gave it back
 *
 * - It is closed when the pool is closed or too large, when the connection is unfit or outdated, or when another pool needs
 *   its slot more.
 * - Otherwise the request that waits longest gets it, unless the saturation limit lets it stay idle.
 * - When nobody waits, it stays idle, as one of `size` at most.
 *
 * ## Anything changed (`#pulse`)
 *
 * Idle connections serve requests that wait. Requests that wait for a server that is gone are refused. For each request
 * that still waits without a connect under way, the pool opens a connection: the first at once, further ones when the
 * throttle allows, all as the circuits and the budget allow. When the budget has no slot left it queues the pool, and calls
 * `grantSlot` later.
 *
 * ## The pool is closed (`close`)
 *
 * Requests that wait are refused. Idle connections are closed now, those in use when they come back.
 *
 * Decisions 0007 (circuits) and 0008 (budget, throttle, saturation).
 */
export class ConnectionPool implements BudgetedPool {
  readonly slots = new SlotCounts();
  readonly #options: PoolOptions;
  #size: PoolSize;
  readonly #connections = new OpenConnections(() => this.#pulse());
  readonly #fitness = new ConnectionFitness();
  readonly #queue = new WaitQueue();
  readonly #circuits: PoolCircuits;
  readonly #waits: WaitPolicy;
  readonly #saturation: SaturationLimit;
  readonly #throttle: GrowthThrottle;
  #closed = false;
  readonly #whenEmpty: (() => void)[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#size = options;
    this.#circuits = new PoolCircuits({ own: options.breaker, server: options.serverBreaker });
    const shared = { options, queue: this.#queue, circuits: this.#circuits };
    this.#waits = new WaitPolicy({ ...shared, slots: this.slots, max: () => this.#max });
    this.#saturation = new SaturationLimit({ ...shared, pool: this });
    this.#throttle = new GrowthThrottle(this.#queue, options.isSaturated ?? (() => false), () =>
      this.#pulse(),
    );
  }

  get databaseName(): string {
    return this.#options.databaseName;
  }

  get metrics(): PoolMetrics | undefined {
    return this.#options.metrics;
  }

  get breaker(): CircuitBreaker {
    return this.#circuits.own;
  }

  /** Whether the last attempt to connect failed. */
  get isFailing(): boolean {
    return this.#circuits.own.isFailing;
  }

  get wantsSlot(): boolean {
    const { connecting, idle, staying, held } = this.slots;
    return (
      connecting < this.#queue.size &&
      idle === 0 &&
      held < this.#max &&
      (staying === 0 || this.#throttle.allows) &&
      this.#circuits.allow
    );
  }

  snapshot(): PoolSnapshot {
    const { staying, idle } = this.slots;
    return { open: staying, idle, inUse: staying - idle, waiting: this.#queue.size };
  }

  /**
   * A connection for the caller alone, proved to be alive; give it back with `release`.
   *
   * @param scope whose end is the end of the wait
   * @throws {DatabaseConnectionError} when the database or its server cannot be reached, or the scope or the pool has ended
   * @throws what `noPlaceError` makes, when no connection is free in time
   */
  async acquire(scope?: WorkScope): Promise<PgConnection> {
    const deadline = performance.now() + this.#waits.patienceMs;
    for (;;) {
      scope?.assertOpen();
      if (this.#closed) throw this.#waits.closed();
      const free = this.#queue.size === 0 ? this.#takeIdle() : undefined;
      const connection = free ?? (await this.#wait(deadline - performance.now(), scope));
      const now = performance.now();
      const probeBefore = this.#fitness.probeBefore(now);
      const isProbed = connection.lastUsedAt < probeBefore;
      if (isProbed ? await this.#answers(connection, deadline - now) : connection.isReusable) {
        connection.lastUsedAt = now;
        return connection;
      }
      this.#connections.close(this.#connections.inUse(connection));
      if (!isProbed) continue;
      // Those that were idle beside it are most likely as dead, and to ask each of them would take as long again.
      this.closeIdleSince(probeBefore);
      if (performance.now() >= deadline)
        throw this.#waits.unavailable(new Error('a connection did not answer'));
    }
  }

  /**
   * Opens the first connection ahead of its use, if the circuits are closed and the budget has a slot at once. Resolves
   * when the connect has ended, well or not; never rejects.
   */
  async prepare(): Promise<void> {
    if (this.slots.held > 0 || !this.#circuits.areClosed) return;
    const slot = this.#options.budget.take(this);
    if (slot !== null) await this.#connect(slot);
  }

  /** @throws {Error} when the connection is not in use: it was released twice, say */
  release(connection: PgConnection): void {
    const released = this.#connections.inUse(connection);
    const now = performance.now();
    if (!connection.isReusable && this.#fitness.broke(connection, now)) this.recycle();
    this.#queue.observeHold(now - connection.lastUsedAt);
    this.#saturation.released(now);
    connection.lastUsedAt = now;
    this.#place(released);
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
      // No free connection in time says that the pool is busy, not that its database is broken.
      if (error instanceof LeaseReleasedError) return this.slots.connecting === 0;
      return error instanceof DomainError && !(error instanceof DatabaseConnectionError);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Takes effect with the next connection that is opened or given back. */
  resize(size: PoolSize): void {
    this.#size = size;
    this.#pulse();
  }

  /** Replaces every connection by a new one: idle ones now, those in use when they come back. */
  recycle(): void {
    this.#fitness.recycle();
    this.closeIdleSince(Infinity);
  }

  /** Closes idle connections that were last used before `before` (in `performance.now()`). */
  closeIdleSince(before: number): void {
    this.#connections.closeIdleSince(before);
  }

  closeIdle(): void {
    this.#connections.closeOldestIdle();
  }

  grantSlot(slot: ConnectionSlot): void {
    void this.#connect(slot);
  }

  /** Refuses new work, lets running work end, and resolves when the last connection is closed. Safe to call twice. */
  close(): Promise<void> {
    this.#closed = true;
    this.#queue.rejectAll(this.#waits.closed());
    this.#throttle.stop();
    this.closeIdleSince(Infinity);
    this.#options.budget.leave(this);
    return new Promise((resolve) => {
      this.#whenEmpty.push(resolve);
      this.#pulse();
    });
  }

  get #max(): number {
    return this.#size.size + this.#size.maxOverflow;
  }

  /** Decides what a connection that just became free does next. */
  #place(free: OpenConnection): void {
    const { staying, inUse } = this.slots;
    const isAwaited = this.#queue.size > 0;
    // The connection itself still counts as in use.
    const staysIdle = !isAwaited || (inUse > 1 && this.#saturation.applies);
    if (staying > (isAwaited ? this.#max : this.#size.size) || !this.#isKept(free.connection)) {
      this.#connections.close(free);
    } else if (staysIdle) {
      this.#connections.keepIdle(free);
    } else {
      free.slot.move('in use');
      this.#queue.serve(free.connection);
    }
    this.#pulse();
  }

  #isKept(connection: PgConnection): boolean {
    return (
      !this.#closed &&
      connection.isReusable &&
      !this.#fitness.isOutdated(connection) &&
      !this.#options.budget.shouldYield(this)
    );
  }

  /** Does what can be done now; called after every change. */
  #pulse(): void {
    while (this.#queue.size > 0) {
      const connection = this.#takeIdle();
      if (connection === undefined) break;
      this.#queue.serve(connection);
    }
    this.#waits.refuseWhenServerIsGone();
    while (this.wantsSlot) {
      const slot = this.#options.budget.take(this);
      if (slot === null) break;
      void this.#connect(slot);
    }
    this.#throttle.watch();
    if (this.#closed && this.slots.held === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  /** The caller has seen that nobody waits, or serves those who do. */
  #takeIdle(): PgConnection | undefined {
    const { idle, inUse } = this.slots;
    if (idle === 0 || (inUse > 0 && this.#saturation.applies)) return undefined;
    return this.#connections.takeIdle();
  }

  #wait(timeoutMs: number, scope: WorkScope | undefined): Promise<PgConnection> {
    const served = this.#waits.join(timeoutMs, scope);
    this.#pulse();
    return served;
  }

  /** Nobody waits for an answer of a server that is known to be gone. */
  async #answers(connection: PgConnection, withinMs: number): Promise<boolean> {
    return this.#circuits.server.state !== 'open' && (await connection.answers(withinMs));
  }

  /** Opens a connection in a slot that the budget has given. Never rejects. */
  async #connect(slot: ConnectionSlot): Promise<void> {
    this.#throttle.used();
    this.#circuits.attempt();
    let connection: PgConnection;
    try {
      connection = await this.#options.connect();
    } catch (error) {
      // Where the role may have no more, requests wait for what it has here.
      const hasOthers = error instanceof RoleFullError && this.slots.connected > 0;
      const goesOn = this.#circuits.failed(error) || hasOthers;
      if (!goesOn) this.#waits.refuseFor(error);
      slot.move(isServerFull(error) ? 'refused' : 'gone');
      this.#pulse();
      return;
    }
    this.#circuits.succeeded();
    this.#place(this.#connections.add(connection, slot));
  }
}
