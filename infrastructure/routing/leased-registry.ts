/** What the registry keeps: something that takes resources, and gives them back when it is closed. */
export interface Closeable {
  /** Resolves when nothing is held any more. Safe to call twice. */
  close(): Promise<void>;
}

/** Why an entry left the registry. */
export type RemovalReason = 'evict' | 'expire' | 'invalidate' | 'retire';

/** A claim on an entry's value. The value is not closed while it is held, unless its deadline has passed. */
export interface Lease<Value> {
  readonly value: Value;
  /** Safe to call twice: a second call takes nothing from other leases. */
  release(): void;
}

export interface RegistryOptions {
  /** Entries kept before the least recently used is evicted. */
  readonly capacity: number;
  /** A lease held for longer is a leak: it is reported, and no longer keeps its entry. */
  readonly leaseTimeoutMs: number;
  readonly onRemoval: (key: string, reason: RemovalReason) => void;
  readonly onLeak: (key: string, heldMs: number) => void;
}

interface Entry<Value> {
  readonly key: string;
  readonly value: Value;
  /** When each lease was taken, in `performance.now()`. */
  readonly leases: Map<symbol, number>;
  draining: boolean;
  /** When the last lease ended, in `performance.now()`. */
  usedAt: number;
  /** The number of its last checkout. */
  turn: number;
}

/**
 * Values by key that live as long as somebody uses them. Claims are synchronous: between
 * looking a value up and claiming it nothing else can run, so nothing can be closed under a new claim.
 */
export class LeasedRegistry<Value extends Closeable> {
  readonly #options: RegistryOptions;
  readonly #active = new Map<string, Entry<Value>>();
  /** Removed from `#active`; closed when their last lease is released. */
  readonly #draining = new Set<Entry<Value>>();
  readonly #closing = new Set<Promise<void>>();
  #checkouts = 0;
  #leases = 0;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Finds the value or makes it with `create`, and claims it; all in one synchronous step. */
  checkout(key: string, create: () => Value): Lease<Value> {
    let entry = this.#active.get(key);
    if (entry === undefined) {
      entry = { key, value: create(), leases: new Map(), draining: false, usedAt: 0, turn: 0 };
      this.#active.set(key, entry);
    }
    entry.turn = this.#checkouts += 1;
    const lease = this.#claim(entry);
    this.#evictBeyondCapacity();
    return lease;
  }

  /** Looks without claiming or refreshing recency. */
  peek(key: string): Value | undefined {
    return this.#active.get(key)?.value;
  }

  *entries(): IterableIterator<[string, Value]> {
    for (const [key, entry] of this.#active) yield [key, entry.value];
  }

  get counts(): { active: number; draining: number; leases: number } {
    return { active: this.#active.size, draining: this.#draining.size, leases: this.#leases };
  }

  /** Takes the key's value out, if it is still `value`: a newer one is somebody else's. It closes after its last lease. */
  remove(key: string, value: Value, reason: RemovalReason): void {
    const entry = this.#active.get(key);
    if (entry?.value === value) this.#retire(entry, reason);
  }

  /** Reports leases past their deadline, and takes out what `isDormant` says nobody needs. */
  sweep(isDormant: (value: Value, idleMs: number) => boolean): void {
    const now = performance.now();
    for (const entry of [...this.#active.values(), ...this.#draining]) this.#dropLeaks(entry, now);
    for (const entry of this.#active.values()) {
      if (entry.leases.size === 0 && isDormant(entry.value, now - entry.usedAt))
        this.#retire(entry, 'expire');
    }
  }

  /**
   * Takes everything out and waits for leases to be released; past the deadline values are closed under them.
   */
  async closeAll(deadlineMs: number): Promise<void> {
    for (const entry of this.#active.values()) this.#retire(entry, 'retire');
    const deadline = new Promise<void>((resolve) => {
      setTimeout(resolve, deadlineMs).unref();
    });
    await Promise.race([this.#drained(), deadline]);
    for (const entry of this.#draining) this.#close(entry);
    await Promise.race([Promise.all(this.#closing), deadline]);
  }

  #claim(entry: Entry<Value>): Lease<Value> {
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
      // All leased: there is no room to make, and refusing the newest would be worse than exceeding the capacity.
      if (victim === undefined) return;
      this.#retire(victim, 'evict');
    }
  }

  /** Looked for when it is needed: an order kept up at every checkout costs more than an eviction now and then. */
  #leastRecentlyUsed(): Entry<Value> | undefined {
    let oldest: Entry<Value> | undefined;
    for (const entry of this.#active.values()) {
      if (entry.leases.size === 0 && entry.turn < (oldest?.turn ?? Infinity)) oldest = entry;
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
