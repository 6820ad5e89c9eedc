import { CircuitBreaker } from './circuit-breaker.ts';

/** What the budget needs to know of a pool, and asks of it. */
export interface BudgetedPool {
  /** Slots of the budget that the pool holds: connecting, idle, in use or closing. */
  readonly slots: number;
  /** Whether a further slot would be used at once. */
  readonly wantsSlot: boolean;
  /** Hands a slot over; the pool connects. */
  grantSlot(): void;
  /** Closes one idle connection; its slot comes back when the server has hung up. */
  closeIdle(): void;
}

interface Use {
  readonly pool: BudgetedPool;
  /** In `performance.now()`. */
  at: number;
}

/** How long a pool may keep its only connection busy while others have none: some ten connects. */
const TURN_MS = 100;

/** For so long an organization counts as there, after its last request. */
const PRESENT_MS = 1000;

/** After this long without use a connection is worth less than a second one of a pool that has work for it. */
const LONG_IDLE_MS = 1000;

/** Whether the server takes more connections than it did is tried now and then, with one. */
const SERVER_FULL = { threshold: 1, minDelayMs: 100, maxDelayMs: 2000 };

/**
 * The server connections that all pools of this process may hold together. A slot is taken before a connect begins
 * and comes back after the server has hung up, so the server never sees one connection too many.
 *
 * When the slots are spent, pools queue: the one that holds least comes first, one slot a turn, and an idle connection of the pool that was used
 * longest ago is closed to make room. The same when the server is full before the slots are spent.
 */
export class ConnectionBudget {
  #limit: number;
  #taken = 0;
  #closing = 0;
  /** Pools that wait for a slot, in the order of their turns. */
  readonly #queue = new Set<BudgetedPool>();
  /** Pools with idle connections, and when they were used last in `performance.now()`; least recently used first. */
  readonly #idle = new Map<BudgetedPool, number>();
  /** Pools that hold connections, and since when in `performance.now()`: a turn begins when the connect ends. */
  readonly #holders = new Map<BudgetedPool, number>();
  /** Pools that were used last and before that, and when. */
  #latest: Use | null = null;
  #previous: Use | null = null;
  /** Slots taken whose connect has not ended. */
  #connecting = 0;
  /** What the server let this process have when it last was full. */
  #ceiling = Infinity;
  readonly #serverFull = new CircuitBreaker(SERVER_FULL);
  #retry: NodeJS.Timeout | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Pools that wait for a slot. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Gives out no slot above `limit` any more; above it, connections are closed as they become idle. */
  resize(limit: number): void {
    this.#limit = limit;
    this.#reclaim();
    this.#serve();
  }

  /** Takes a slot at once, or queues the pool and returns false: `grantSlot` follows. */
  take(pool: BudgetedPool): boolean {
    if (this.#queue.size === 0 && this.#hasSlot) {
      this.#give();
      return true;
    }
    this.#queue.add(pool);
    this.#serve();
    this.#reclaim();
    return false;
  }

  /** Says that one of the pool's connections is on its way out. */
  closing(): void {
    this.#closing += 1;
  }

  /** Gives a slot back. `wasClosing`: `closing` was called for it. */
  release(pool: BudgetedPool, wasClosing: boolean): void {
    this.#taken -= 1;
    if (wasClosing) this.#closing -= 1;
    if (pool.slots === 0) this.#holders.delete(pool);
    this.#serve();
  }

  /** The connect in one of the pool's slots succeeded. */
  connected(pool: BudgetedPool): void {
    this.#connecting -= 1;
    if (!this.#holders.has(pool)) this.#holders.set(pool, performance.now());
    const established = this.#taken - this.#connecting;
    if (established > this.#ceiling) {
      this.#ceiling = established;
      this.#serverFull.succeeded();
    } else {
      // A try above the ceiling while another connection closed: it has ended, and has told nothing.
      this.#serverFull.abandoned();
    }
    this.#serve();
  }

  /** The connect in a slot failed for another reason than a full server; its slot is about to come back. */
  connectFailed(): void {
    this.#connecting -= 1;
    this.#serverFull.abandoned();
  }

  /** The server refused the connect in a slot, as it takes no more; the slot is about to come back. */
  serverFull(): void {
    this.#connecting -= 1;
    this.#ceiling = this.#taken - this.#connecting - 1;
    this.#serverFull.failed();
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = setTimeout(
      () => {
        this.#retry = null;
        this.#serve();
      },
      Math.ceil(this.#serverFull.retryInMs) + 1,
    ).unref();
  }

  /** Keeps book of who has idle connections; the latest caller was used last. */
  markIdle(pool: BudgetedPool, hasIdle: boolean): void {
    this.#idle.delete(pool);
    if (hasIdle) this.#idle.set(pool, performance.now());
    if (this.#queue.size > 0) this.#reclaim();
  }

  /** Somebody has got one of the pool's connections. */
  used(pool: BudgetedPool): void {
    if (this.#latest?.pool !== pool) {
      this.#previous = this.#latest;
      this.#latest = { pool, at: 0 };
    }
    this.#latest.at = performance.now();
  }

  /** Whether other pools than this one were in use lately. */
  isShared(pool: BudgetedPool): boolean {
    const other = this.#latest?.pool === pool ? this.#previous : this.#latest;
    return other !== null && performance.now() - other.at < PRESENT_MS;
  }

  /** Forgets a pool that wants nothing any more. */
  leave(pool: BudgetedPool): void {
    this.#queue.delete(pool);
    this.#idle.delete(pool);
    if (this.#previous?.pool === pool) this.#previous = null;
    if (this.#latest?.pool === pool) this.#latest = null;
  }

  /**
   * Whether a connection that just became free should be closed rather than serve its pool again: when there are too
   * many, or for a pool that holds two fewer (fewer moves would never end), or holds none while this one had its turn.
   * One for each such pool: those on their way out already count.
   */
  shouldYield(pool: BudgetedPool): boolean {
    let needed = Math.max(0, this.#taken - this.#limit);
    if (needed > this.#closing) return true;
    if (this.#queue.size === 0) return false;
    const hadItsTurn = performance.now() - (this.#holders.get(pool) ?? Infinity) > TURN_MS;
    for (const other of this.#queue) {
      if (other === pool || !other.wantsSlot) continue;
      if (other.slots + 1 < pool.slots || (other.slots === 0 && hadItsTurn)) needed += 1;
      if (needed > this.#closing) return true;
    }
    return false;
  }

  get #hasSlot(): boolean {
    if (this.#taken >= this.#limit) return false;
    return this.#taken < this.#ceiling || (this.#connecting === 0 && this.#serverFull.allows);
  }

  #give(): void {
    this.#taken += 1;
    this.#connecting += 1;
    if (this.#taken > this.#ceiling) this.#serverFull.attempt();
  }

  #serve(): void {
    while (this.#hasSlot) {
      const pool = this.#neediest();
      if (pool === undefined) return;
      this.#queue.delete(pool);
      if (!pool.wantsSlot) continue;
      this.#give();
      pool.grantSlot();
      if (pool.wantsSlot) this.#queue.add(pool);
    }
  }

  /** The queued pool that holds least; among equals the one that waits longest. */
  #neediest(): BudgetedPool | undefined {
    let neediest: BudgetedPool | undefined;
    for (const pool of this.#queue) {
      if (pool.slots === 0) return pool;
      if (neediest === undefined || pool.slots < neediest.slots) neediest = pool;
    }
    return neediest;
  }

  /**
   * One idle connection on its way out for each pool that waits, as turns are of one slot, and for each above the limit.
   * A pool that has a connection gets those that lie idle for long only: it would be a connect for every turn.
   */
  #reclaim(): void {
    let [needed, wanted] = [Math.max(0, this.#taken - this.#limit), 0];
    for (const pool of this.#queue) {
      if (!pool.wantsSlot) continue;
      if (pool.slots === 0) needed += 1;
      else wanted += 1;
    }
    while (this.#closing < needed + wanted) {
      const [victim] = this.#idle;
      if (victim === undefined) return;
      const [pool, usedAt] = victim;
      if (this.#closing >= needed && performance.now() - usedAt < LONG_IDLE_MS) return;
      pool.closeIdle();
    }
  }
}
