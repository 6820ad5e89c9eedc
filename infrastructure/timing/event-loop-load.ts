import { performance, type EventLoopUtilization } from 'node:perf_hooks';

const WINDOW_MS = 20;
const SATURATED = 0.9;

/** A saturated loop has short idle moments. The state lasts this long, so that they do not end it. */
const HOLD_MS = 1000;

/** Measures whether the event loop is saturated. Then more connections only make its queue longer. Decision 0008. */
export class EventLoopLoad {
  readonly #now: () => number;
  #last: EventLoopUtilization = performance.eventLoopUtilization();
  #measuredAt: number;
  #saturatedAt = -Infinity;

  /** @param now monotonic, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#measuredAt = now();
  }

  /** True when a window of at least 20 ms in the last second was over 90 % busy. Measures at most once per window. */
  get isSaturated(): boolean {
    const now = this.#now();
    if (now - this.#measuredAt >= WINDOW_MS) {
      const current = performance.eventLoopUtilization();
      if (performance.eventLoopUtilization(current, this.#last).utilization > SATURATED)
        this.#saturatedAt = now;
      this.#last = current;
      this.#measuredAt = now;
    }
    return now - this.#saturatedAt < HOLD_MS;
  }
}
