import { setTimeout as sleep } from 'node:timers/promises';

/** Runs pieces of work one after another, in the order they came. Work that fails holds up nobody. */
export class SerialQueue {
  readonly #patienceMs: number | null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @param patienceMs after this long the next one begins beside one that is not over; null: never */
  constructor(patienceMs: number | null = null) {
    this.#patienceMs = patienceMs;
  }

  /** How many have not begun. */
  get waiting(): number {
    return this.#waiting;
  }

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
