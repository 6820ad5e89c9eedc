import { performance, type EventLoopUtilization } from 'node:perf_hooks';

const WINDOW_MS = 20;
const SATURATED = 0.9;

/** A saturated loop has short idle moments. The state lasts this long, so that they do not end it. */
const HOLD_MS = 1000;

/** Measures whether the event loop is saturated. Then more connections only make its queue longer. Decision 0008. */
export class EventLoopLoad {
  readonly #now: () => number;
  readonly #measure: () => EventLoopUtilization;
  #last: EventLoopUtilization;
  #measuredAt: number;
  #saturatedAt = -Infinity;

  /**
   * @param now monotonic, in milliseconds
   * @param measure times since the start of the process
   */
  constructor(
    now: () => number = () => performance.now(),
    measure: () => EventLoopUtilization = () => performance.eventLoopUtilization(),
  ) {
    this.#now = now;
    this.#measure = measure;
    this.#measuredAt = now();
    this.#last = measure();
  }

  /** True when a window of at least 20 ms in the last second was over 90 % busy. Measures at most once per window. */
  get isSaturated(): boolean {
    const now = this.#now();
    if (now - this.#measuredAt >= WINDOW_MS) {
      const current = this.#measure();
      if (performance.eventLoopUtilization(current, this.#last).utilization > SATURATED)
        this.#saturatedAt = now;
      this.#last = current;
      this.#measuredAt = now;
    }
    return now - this.#saturatedAt < HOLD_MS;
  }
}
