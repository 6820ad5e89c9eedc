import { setTimeout as sleep } from 'node:timers/promises';

/** Runs tasks one after another, first in, first out. A failed task does not stop the queue. */
export class SerialQueue {
  readonly #patienceMs: number | null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @param patienceMs after this time the next task starts although the current one is still running; null: never */
  constructor(patienceMs: number | null = null) {
    this.#patienceMs = patienceMs;
  }

  /** The number of tasks that have not started. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Settles as `work` does. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#waiting += 1;
    const begun = this.#last.then(() => {
      this.#waiting -= 1;
    });
    const result = begun.then(work);
    const over = result.catch(() => undefined);
    const patienceMs = this.#patienceMs;
    this.#last =
      patienceMs === null
        ? over
        : begun.then(() => Promise.race([over, sleep(patienceMs, undefined, { ref: false })]));
    return result;
  }
}
