import { orAfter } from '../or-after.ts';

/** Most keys remembered; the one not asked for the longest goes first. */
const MAX_ENTRIES = 10_000;
/** How long an old answer holds back a request while a new one is on its way. */
const PATIENCE_MS = 100;
/** An old answer is not held back again so soon after. */
const RETRY_AFTER_MS = 1000;
/** How long an old answer stands while no new one can be had. */
const OUTAGE_GRACE_MS = 5 * 60_000;

interface RevalidateOptions<Value> {
  readonly look: (key: string) => Promise<Value>;
  /** Milliseconds for which an answer is not asked for again. */
  readonly freshForMs: () => number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

interface Entry<Value> {
  known: { readonly value: Value; readonly askedAt: number } | null;
  asking: Promise<Value> | null;
  triedAt: number;
}

/**
 * Answers to a question, remembered for a while. One that is no longer fresh is asked for again; when that takes long
 * or fails, the old answer stands in for some minutes, so that an outage of whoever answers does not spread at once.
 * Safe to call concurrently: callers share the asking.
 */
export class StaleWhileRevalidate<Value> {
  readonly #options: RevalidateOptions<Value>;
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(options: RevalidateOptions<Value>) {
    this.#options = options;
  }

  /** Rejects as the look-up does, when there is no old answer to give. */
  async get(key: string): Promise<Value> {
    const entry = this.#entry(key);
    const { known } = entry;
    const now = this.#options.now();
    const age = known === null ? Infinity : now - known.askedAt;
    if (known === null || age > OUTAGE_GRACE_MS) return this.#ask(key, entry);
    if (age < this.#options.freshForMs() || now - entry.triedAt < RETRY_AFTER_MS) return known.value;
    return orAfter(PATIENCE_MS, this.#ask(key, entry), known.value);
  }

  /** The next `get` asks anew, also while an answer is on its way: that one may be older than the change. */
  forget(key: string): void {
    this.#entries.delete(key);
  }

  /** Likewise, of all keys whose answer fits. */
  forgetWhere(fits: (value: Value) => boolean): void {
    for (const [key, { known }] of this.#entries) {
      if (known === null || fits(known.value)) this.#entries.delete(key);
    }
  }

  forgetAll(): void {
    this.#entries.clear();
  }

  #entry(key: string): Entry<Value> {
    const entry = this.#entries.get(key) ?? { known: null, asking: null, triedAt: -Infinity };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MAX_ENTRIES) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    return entry;
  }

  #ask(key: string, entry: Entry<Value>): Promise<Value> {
    if (entry.asking !== null) return entry.asking;
    const askedAt = this.#options.now();
    entry.triedAt = askedAt;
    entry.asking = this.#options
      .look(key)
      .then((value) => {
        entry.known = { value, askedAt };
        return value;
      })
      .finally(() => {
        entry.asking = null;
      });
    return entry.asking;
  }
}
