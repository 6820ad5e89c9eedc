import type { WaitQueue } from './wait-queue.ts';

/** A wait that is over sooner is shorter than a connect: most statements are. */
const PATIENCE_MS = 10;

/** While the event loop is saturated, a further connection only helps if those in use stand still. */
const PATIENCE_WHEN_SATURATED_MS = 1000;

/** Connections are added one by one, so that it is seen whether they help. */
const GROW_EVERY_MS = 25;

/** When a pool that has a connection may open a further one: one at a time, for requests that have waited for a while. */
export class GrowthThrottle {
  readonly #queue: WaitQueue;
  readonly #isSaturated: () => boolean;
  readonly #onLook: () => void;
  #timer: NodeJS.Timeout | null = null;
  #allows = false;

  /** @param onLook called after each look; it opens what is allowed and wanted, and calls `watch` again */
  constructor(queue: WaitQueue, isSaturated: () => boolean, onLook: () => void) {
    this.#queue = queue;
    this.#isSaturated = isSaturated;
    this.#onLook = onLook;
  }

  get allows(): boolean {
    return this.#allows;
  }

  /** Looks at the queue in a while, if somebody waits. */
  watch(): void {
    if (this.#timer !== null || this.#queue.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const patienceMs = this.#isSaturated() ? PATIENCE_WHEN_SATURATED_MS : PATIENCE_MS;
      this.#allows = this.#queue.waitedMs >= patienceMs;
      this.#onLook();
    }, GROW_EVERY_MS).unref();
  }

  /** A connection is being opened: the next one needs a permission of its own. */
  used(): void {
    this.#allows = false;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
