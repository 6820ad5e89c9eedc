import { orAfter } from './or-after.ts';

/** Most keys remembered; the one not asked for the longest goes first. */
const MAX_ENTRIES = 10_000;
/** How long an answer that is a little too old holds back a request while a new one is on its way. */
const BRIEF_PATIENCE_MS = 100;
/** How long one that is much too old does: as long as a server takes that answers late. */
const PATIENCE_MS = 2000;
/** A brief wait is not repeated so soon after. */
const RETRY_AFTER_MS = 1000;
/** How long an old answer stands while no new one can be had. */
const OUTAGE_GRACE_MS = 5 * 60_000;

const NO_ANSWER = Symbol('no answer');

export interface RevalidateOptions<Value> {
  readonly look: (key: string) => Promise<Value>;
  /** An answer is not asked for again for this long. From twice this age on, requests wait for a new one. */
  readonly freshForMs: () => number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** How long a request waits for a new answer in place of one that is much too old. Default: 2000. */
  readonly patienceMs?: number | undefined;
}

interface Entry<Value> {
  known: { readonly value: Value; readonly askedAt: number } | null;
  asking: Promise<Value> | null;
  triedAt: number;
}

/**
 * Answers to a question, remembered for a while. One that is no longer fresh is asked for again. Requests wait for the new
 * answer when the old one is much too old, as long as answers come. When they fail or take too long, the old answer
 * stands in for some minutes, so that an outage of whoever answers does not spread at once: then no request waits long.
 * Safe to call concurrently: callers share the asking.
 */
export class StaleWhileRevalidate<Value> {
  readonly #options: RevalidateOptions<Value>;
  readonly #entries = new Map<string, Entry<Value>>();
  /** Whether the last look failed, or a request waited for one in vain. */
  #isAway = false;

  constructor(options: RevalidateOptions<Value>) {
    this.#options = options;
  }

  /**
   * Rejects as the look-up does, when there is no old answer to give.
   *
   * @param standIn counts as an old answer where none is remembered, and has no end
   */
  async get(key: string, standIn?: Value): Promise<Value> {
    const { now: clock, freshForMs, patienceMs = PATIENCE_MS } = this.#options;
    const entry = this.#entry(key);
    const { known } = entry;
    const now = clock();
    const age = known === null ? Infinity : now - known.askedAt;
    const freshMs = freshForMs();
    if (known !== null && age < freshMs) return known.value;
    const old = known === null || age > OUTAGE_GRACE_MS ? standIn : known.value;
    if (old === undefined) return this.#ask(key, entry);
    const isUrgent = age >= 2 * freshMs && !this.#isAway;
    if (!isUrgent && now - entry.triedAt < RETRY_AFTER_MS) return old;
    const asked: Promise<Value | typeof NO_ANSWER> = this.#ask(key, entry);
    const answer = await orAfter(isUrgent ? patienceMs : BRIEF_PATIENCE_MS, asked, NO_ANSWER);
    if (answer !== NO_ANSWER) return answer;
    if (isUrgent) this.#isAway = true;
    return old;
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
    entry.asking ??= this.#look(key, entry).finally(() => {
      entry.asking = null;
    });
    return entry.asking;
  }

  async #look(key: string, entry: Entry<Value>): Promise<Value> {
    const askedAt = this.#options.now();
    entry.triedAt = askedAt;
    try {
      const value = await this.#options.look(key);
      entry.known = { value, askedAt };
      this.#isAway = false;
      return value;
    } catch (error) {
      this.#isAway = true;
      throw error;
    }
  }
}
