import { performance, type EventLoopUtilization } from 'node:perf_hooks';

const WINDOW_MS = 20;
const SATURATED = 0.9;

/** A loop that was full has a moment to breathe now and then; that is no time for more. */
const MEMORY_MS = 1000;

/** Whether this process has as much to do as one thread can: more connections would only make the queue longer. */
export class EventLoopLoad {
  readonly #now: () => number;
  #last: EventLoopUtilization = performance.eventLoopUtilization();
  #lookedAt: number;
  #saturatedAt = -Infinity;

  /** @param now monotonic, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#lookedAt = now();
  }

  /** Between looks, and for a while after; asks the runtime fifty times a second at most. */
  get isSaturated(): boolean {
    const now = this.#now();
    if (now - this.#lookedAt >= WINDOW_MS) {
      const current = performance.eventLoopUtilization();
      if (performance.eventLoopUtilization(current, this.#last).utilization > SATURATED)
        this.#saturatedAt = now;
      this.#last = current;
      this.#lookedAt = now;
    }
    return now - this.#saturatedAt < MEMORY_MS;
  }
}
