/** How much of something may be used. */
export interface Rate {
  readonly perSecond: number;
  /** What may be used at once after a rest. */
  readonly burst: number;
}

/** Beyond these, the key that was used longest ago is forgotten, which fills its bucket. */
const MAX_KEYS = 50_000;

/** Sums of fractions of milliseconds are not exact. */
const ROUNDING_MS = 0.001;

/**
 * Token buckets, one a key, in the memory of this process. A bucket with one token gives any amount, and may then be in
 * debt: so the size of one request is no reason to refuse it, and its cost is paid back by waiting. Decision 0035.
 */
export class TokenBuckets {
  readonly #now: () => number;
  /** When each bucket is full again. The key that was used longest ago comes first. */
  readonly #fullAt = new Map<string, number>();

  /** @param now monotonic, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns 0 when the amount was taken; else in how many milliseconds the bucket has a token */
  take(key: string, amount: number, { perSecond, burst }: Rate): number {
    const now = this.#now();
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now);
    const waitMs = fullAt - now - ((burst - 1) * 1000) / perSecond;
    if (waitMs > ROUNDING_MS) return waitMs;
    this.#fullAt.delete(key);
    this.#fullAt.set(key, fullAt + (amount * 1000) / perSecond);
    this.#forgetOldest();
    return 0;
  }

  #forgetOldest(): void {
    if (this.#fullAt.size <= MAX_KEYS) return;
    const [oldest] = this.#fullAt.keys();
    if (oldest !== undefined) this.#fullAt.delete(oldest);
  }
}
