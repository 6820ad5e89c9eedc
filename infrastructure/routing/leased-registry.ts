/** A value of the registry. It holds resources until it is closed. */
export interface Closeable {
  /** Resolves when all resources are free. Safe to call twice. */
  close(): Promise<void>;
}

/** Why an entry left the registry: capacity, time without use, a change, or the end of its database or the process. */
export type RemovalReason = 'evict' | 'expire' | 'invalidate' | 'retire';

/** Keeps an entry's value open until it is released, or until `leaseTimeoutMs` has passed. */
export interface Lease<Value> {
  readonly value: Value;
  /** Safe to call twice: a second call does not end another lease. */
  release(): void;
}

export interface RegistryOptions {
  /** With more entries than this, the least recently used one without a lease is evicted. */
  readonly capacity: number;
  /** A lease that is held longer is a leak: it is reported, and the registry ends it. */
  readonly leaseTimeoutMs: number;
  readonly onRemoval: (key: string, reason: RemovalReason) => void;
  readonly onLeak: (key: string, heldMs: number) => void;
}

interface Entry<Value> {
  readonly key: string;
  readonly value: Value;
  /** The start of each lease, in `performance.now()`. */
  readonly leases: Map<symbol, number>;
  draining: boolean;
  /** The end of the last lease, in `performance.now()`. */
  usedAt: number;
  /** The sequence number of the last checkout. */
  lastCheckout: number;
}

/**
 * Stores values by key and closes each one only after its last lease. Look-up and lease happen in one synchronous
 * step, so no other code can close a value in between.
 *
 * States of an entry: active (can be leased) → draining (removed, waits for its last lease) → closing → gone.
 */
export class LeasedRegistry<Value extends Closeable> {
  readonly #options: RegistryOptions;
  readonly #active = new Map<string, Entry<Value>>();
  /** Entries that are removed from `#active` and wait for their last lease. */
  readonly #draining = new Set<Entry<Value>>();
  readonly #closing = new Set<Promise<void>>();
  #checkouts = 0;
  #leases = 0;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Finds the value, or makes it with `create`, and leases it, in one synchronous step. May evict another entry. */
  checkout(key: string, create: () => Value): Lease<Value> {
    let entry = this.#active.get(key);
    if (entry === undefined) {
      entry = { key, value: create(), leases: new Map(), draining: false, usedAt: 0, lastCheckout: 0 };
      this.#active.set(key, entry);
    }
    entry.lastCheckout = this.#checkouts += 1;
    const lease = this.#lease(entry);
    this.#evictBeyondCapacity();
    return lease;
  }

  /** Returns the value without a lease, and without counting as a use. */
  peek(key: string): Value | undefined {
    return this.#active.get(key)?.value;
  }

  *entries(): IterableIterator<[string, Value]> {
    for (const [key, entry] of this.#active) yield [key, entry.value];
  }

  get counts(): { active: number; draining: number; leases: number } {
    return { active: this.#active.size, draining: this.#draining.size, leases: this.#leases };
  }

  /** Removes the key's entry if it still has this `value`. The value is closed after its last lease. */
  remove(key: string, value: Value, reason: RemovalReason): void {
    const entry = this.#active.get(key);
    if (entry?.value === value) this.#retire(entry, reason);
  }

  /**
   * Ends and reports leases past their deadline, and removes the unleased entries for which `isDormant` returns true.
   */
  sweep(isDormant: (value: Value, idleMs: number) => boolean): void {
    const now = performance.now();
    for (const entry of [...this.#active.values(), ...this.#draining]) this.#dropLeaks(entry, now);
    for (const entry of this.#active.values()) {
      if (entry.leases.size === 0 && isDormant(entry.value, now - entry.usedAt))
        this.#retire(entry, 'expire');
    }
  }

  /** Removes all entries and waits for their leases. After the deadline it closes the values that are still leased. */
  async closeAll(deadlineMs: number): Promise<void> {
    for (const entry of this.#active.values()) this.#retire(entry, 'retire');
    const deadline = new Promise<void>((resolve) => {
      setTimeout(resolve, deadlineMs).unref();
    });
    await Promise.race([this.#drained(), deadline]);
    for (const entry of this.#draining) this.#close(entry);
    await Promise.race([Promise.all(this.#closing), deadline]);
  }

  #lease(entry: Entry<Value>): Lease<Value> {
    const id = Symbol(entry.key);
    entry.leases.set(id, performance.now());
    this.#leases += 1;
    return { value: entry.value, release: () => this.#release(entry, id) };
  }

  #release(entry: Entry<Value>, id: symbol): void {
    if (!entry.leases.delete(id)) return;
    this.#leases -= 1;
    entry.usedAt = performance.now();
    if (entry.draining && entry.leases.size === 0) this.#close(entry);
  }

  #evictBeyondCapacity(): void {
    while (this.#active.size > this.#options.capacity) {
      const victim = this.#leastRecentlyUsed();
      // All entries are leased. Exceeding the capacity is better than refusing the new one.
      if (victim === undefined) return;
      this.#retire(victim, 'evict');
    }
  }

  /** Searches linearly: keeping an order at every checkout costs more than a rare eviction. */
  #leastRecentlyUsed(): Entry<Value> | undefined {
    let oldest: Entry<Value> | undefined;
    for (const entry of this.#active.values()) {
      if (entry.leases.size === 0 && entry.lastCheckout < (oldest?.lastCheckout ?? Infinity)) oldest = entry;
    }
    return oldest;
  }

  #retire(entry: Entry<Value>, reason: RemovalReason): void {
    this.#active.delete(entry.key);
    this.#draining.add(entry);
    entry.draining = true;
    this.#options.onRemoval(entry.key, reason);
    if (entry.leases.size === 0) this.#close(entry);
  }

  #close(entry: Entry<Value>): void {
    this.#draining.delete(entry);
    const closing = entry.value.close().finally(() => {
      this.#closing.delete(closing);
      this.#whenChanged();
    });
    this.#closing.add(closing);
  }

  #dropLeaks(entry: Entry<Value>, now: number): void {
    for (const [id, since] of entry.leases) {
      if (now - since <= this.#options.leaseTimeoutMs) continue;
      this.#options.onLeak(entry.key, now - since);
      this.#release(entry, id);
    }
  }

  #whenChanged: () => void = () => undefined;

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenChanged = () => {
        if (this.#draining.size === 0 && this.#closing.size === 0) resolve();
      };
      this.#whenChanged();
    });
  }
}
