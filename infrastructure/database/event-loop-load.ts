import { performance, type EventLoopUtilization } from 'node:perf_hooks';

const WINDOW_MS = 50;
const SATURATED = 0.9;

/** Whether this process has as much to do as one thread can: more connections would only make the queue longer. */
export class EventLoopLoad {
  #last: EventLoopUtilization = performance.eventLoopUtilization();
  #lookedAt = performance.now();
  #saturated = false;

  /** Over the last moments; asks the runtime twenty times a second at most. */
  get isSaturated(): boolean {
    const now = performance.now();
    if (now - this.#lookedAt >= WINDOW_MS) {
      const current = performance.eventLoopUtilization();
      this.#saturated = performance.eventLoopUtilization(current, this.#last).utilization > SATURATED;
      this.#last = current;
      this.#lookedAt = now;
    }
    return this.#saturated;
  }
}
