import { ConnectionSlot, type SlotState } from './connection-slot.ts';
import { ServerCapacity } from './server-capacity.ts';
import { SlotCounts } from './slot-counts.ts';

/** What the budget needs to know of a pool, and asks of it. */
export interface BudgetedPool {
  /** The pool's slots by state. The budget counts them; the pool only reads. */
  readonly slots: SlotCounts;
  /** Whether the pool would use a further slot at once. */
  readonly wantsSlot: boolean;
  /** Gives the pool a slot that it queued for; the pool connects. */
  grantSlot(slot: ConnectionSlot): void;
  /** Closes the pool's idle connection that was used longest ago. */
  closeIdle(): void;
}

interface Use {
  readonly pool: BudgetedPool;
  /** In `performance.now()`. */
  at: number;
}

/** A pool keeps its only connection for so long while others have none: the time of some ten connects. */
const TIME_SLICE_MS = 100;

/** A pool counts as active for so long after its last use. */
const ACTIVE_MS = 1000;

/** After this long without use, a connection is worth less than a second one of a pool that has work for it. */
const LONG_IDLE_MS = 1000;

/**
 * The connections to one server that all pools of this process may hold together. A slot is taken before a connect
 * begins and comes back after the server has hung up, so the server never sees one connection too many.
 *
 * The budget makes the slots, and learns from their moves alone what the connections do. It keeps the counts of each pool
 * and of all.
 *
 * When no slot is left, or the server is full, pools queue. Two things bring a slot back to them:
 * - the budget has idle connections closed, first those of the pool that was used longest ago (`#reclaim`);
 * - a pool asks with each connection that becomes free whether it should close it (`shouldYield`).
 *
 * Then the pool that holds least is first, with one slot at a time (`#serve`). Decision 0008.
 */
export class ConnectionBudget {
  #limit: number;
  readonly #counts = new SlotCounts();
  readonly #capacity = new ServerCapacity(this.#counts, () => this.#serve());
  /** Pools that wait for a slot; those that wait longest first. */
  readonly #queue = new Set<BudgetedPool>();
  /** Pools with idle connections, and when they were used last in `performance.now()`; least recently used first. */
  readonly #idle = new Map<BudgetedPool, number>();
  /** Pools that hold connections, and since when in `performance.now()`: their time slice begins when a connect ends. */
  readonly #connectedSince = new Map<BudgetedPool, number>();
  /** The last two pools that were used. */
  #latest: Use | null = null;
  #previous: Use | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Slots that are not back. */
  get taken(): number {
    return this.#counts.held;
  }

  /** Pools that wait for a slot. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Gives out no slot above `limit` from now on. Connections above it are closed as they become idle. */
  resize(limit: number): void {
    this.#limit = limit;
    this.#reclaim();
    this.#serve();
  }

  /** A slot, or null: then the pool is queued, and `grantSlot` follows. */
  take(pool: BudgetedPool): ConnectionSlot | null {
    if (this.#queue.size === 0 && this.#hasSlot) return this.#slotFor(pool);
    this.#queue.add(pool);
    this.#serve();
    this.#reclaim();
    return null;
  }

  /** Whether other pools than this one were used lately. */
  isShared(pool: BudgetedPool): boolean {
    const other = this.#latest?.pool === pool ? this.#previous : this.#latest;
    return other !== null && performance.now() - other.at < ACTIVE_MS;
  }

  /** Forgets a pool that is closed. Its slots still come back. */
  leave(pool: BudgetedPool): void {
    this.#queue.delete(pool);
    this.#idle.delete(pool);
    if (this.#previous?.pool === pool) this.#previous = null;
    if (this.#latest?.pool === pool) this.#latest = null;
  }

  /**
   * Whether the pool should close a connection that just became free, rather than use it again:
   * - there are more connections than the limit;
   * - a pool waits that holds at least two fewer (with one fewer, they would take it from each other for ever);
   * - a pool waits that holds none, and this one has used up its time slice.
   *
   * One connection for each such pool is enough: those that are closing already count.
   */
  shouldYield(pool: BudgetedPool): boolean {
    const { closing } = this.#counts;
    let needed = this.#excess;
    if (needed > closing) return true;
    if (this.#queue.size === 0) return false;
    const held = pool.slots.held;
    const sliceIsOver = performance.now() - (this.#connectedSince.get(pool) ?? Infinity) > TIME_SLICE_MS;
    for (const other of this.#queue) {
      if (other === pool || !other.wantsSlot) continue;
      const otherHeld = other.slots.held;
      if (otherHeld + 1 < held || (otherHeld === 0 && sliceIsOver)) needed += 1;
      if (needed > closing) return true;
    }
    return false;
  }

  /** Slots taken above the limit, which was lowered. */
  get #excess(): number {
    return Math.max(0, this.#counts.held - this.#limit);
  }

  get #hasSlot(): boolean {
    return this.#counts.held < this.#limit && this.#capacity.hasRoom;
  }

  #slotFor(pool: BudgetedPool): ConnectionSlot {
    const slot = new ConnectionSlot((from, to) => this.#moved(pool, from, to));
    pool.slots.add(slot.state);
    this.#counts.add(slot.state);
    this.#capacity.attempt();
    return slot;
  }

  /** One of the pool's slots has made a move. */
  #moved(pool: BudgetedPool, from: SlotState, to: SlotState): void {
    pool.slots.move(from, to);
    this.#counts.move(from, to);
    if (from === 'connecting') this.#connectEnded(pool, to);
    if (to === 'in use') this.#used(pool);
    if (from === 'idle' || to === 'idle') this.#idleChanged(pool, to);
    if (pool.slots.held === 0) this.#connectedSince.delete(pool);
    // A connection that is handed over, or only begins to close, makes no room.
    if (from === to || to === 'closing' || this.#queue.size === 0) return;
    this.#serve();
    this.#reclaim();
  }

  #connectEnded(pool: BudgetedPool, to: SlotState): void {
    if (to === 'refused') return this.#capacity.refused();
    if (to === 'gone') return this.#capacity.abandoned();
    if (!this.#connectedSince.has(pool)) this.#connectedSince.set(pool, performance.now());
    return this.#capacity.succeeded();
  }

  #used(pool: BudgetedPool): void {
    if (this.#latest?.pool !== pool) {
      this.#previous = this.#latest;
      this.#latest = { pool, at: 0 };
    }
    this.#latest.at = performance.now();
  }

  #idleChanged(pool: BudgetedPool, to: SlotState): void {
    const hasIdle = pool.slots.idle > 0;
    // To lose an idle connection is no use: the pool keeps its place in the order.
    if (to === 'closing' && hasIdle) return;
    this.#idle.delete(pool);
    if (hasIdle) this.#idle.set(pool, performance.now());
  }

  #serve(): void {
    while (this.#hasSlot) {
      const pool = this.#neediest();
      if (pool === undefined) return;
      this.#queue.delete(pool);
      if (!pool.wantsSlot) continue;
      pool.grantSlot(this.#slotFor(pool));
      if (pool.wantsSlot) this.#queue.add(pool);
    }
  }

  /** The queued pool that holds least; among equals the one that waits longest. */
  #neediest(): BudgetedPool | undefined {
    let neediest: BudgetedPool | undefined;
    for (const pool of this.#queue) {
      if (pool.slots.held === 0) return pool;
      if (neediest === undefined || pool.slots.held < neediest.slots.held) neediest = pool;
    }
    return neediest;
  }

  /**
   * Has one idle connection closed for each slot above the limit and for each pool that waits. A pool that has a
   * connection gets only those that were idle for long: else every time slice would cost a connect.
   */
  #reclaim(): void {
    let [needed, wanted] = [this.#excess, 0];
    for (const pool of this.#queue) {
      if (!pool.wantsSlot) continue;
      if (pool.slots.held === 0) needed += 1;
      else wanted += 1;
    }
    while (this.#counts.closing < needed + wanted) {
      const [leastRecent] = this.#idle;
      if (leastRecent === undefined) return;
      const [pool, usedAt] = leastRecent;
      if (this.#counts.closing >= needed && performance.now() - usedAt < LONG_IDLE_MS) return;
      pool.closeIdle();
    }
  }
}
