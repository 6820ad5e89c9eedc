import type { WaitQueue } from './wait-queue.ts';

/** A wait that is over sooner is shorter than a connect: most statements are. */
const PATIENCE_MS = 10;

/** Where the processor is what is waited for, a further connection only helps if the others stand still. */
const PATIENCE_WHEN_SATURATED_MS = 1000;

/** Further connections come one by one, so that it is seen whether they help. */
const GROW_EVERY_MS = 25;

/** When a pool that has a connection may open a further one: for those who have waited for a while, one at a time. */
export class GrowthThrottle {
  readonly #line: WaitQueue;
  readonly #isSaturated: () => boolean;
  readonly #grow: () => void;
  #timer: NodeJS.Timeout | null = null;
  #allows = false;

  /** @param grow called when one more may be opened, if it is wanted */
  constructor(line: WaitQueue, isSaturated: () => boolean, grow: () => void) {
    this.#line = line;
    this.#isSaturated = isSaturated;
    this.#grow = grow;
  }

  get allows(): boolean {
    return this.#allows;
  }

  /** Somebody waits: looks now and then until nobody does. */
  watch(): void {
    if (this.#timer !== null || this.#line.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const patienceMs = this.#isSaturated() ? PATIENCE_WHEN_SATURATED_MS : PATIENCE_MS;
      this.#allows = this.#line.waitedMs >= patienceMs;
      this.#grow();
      this.watch();
    }, GROW_EVERY_MS).unref();
  }

  /** A connection is being opened: the next one has to be allowed anew. */
  used(): void {
    this.#allows = false;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
