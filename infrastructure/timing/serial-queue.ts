import { setTimeout as sleep } from 'node:timers/promises';

/** Has the turn last until this is over as well; the result of the work is there before. */
export type Hold = (until: Promise<unknown>) => void;

/** Lets pieces of work run one after another, in the order they came. One that fails holds nobody up. */
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

  take<Result>(work: (hold: Hold) => Promise<Result>): Promise<Result> {
    const held: Promise<unknown>[] = [];
    this.#waiting += 1;
    const begun = this.#last.then(() => {
      this.#waiting -= 1;
    });
    const result = begun.then(() => work((until) => void held.push(until.catch(() => undefined))));
    const over = result.then(() => Promise.all(held)).catch(() => undefined);
    const patienceMs = this.#patienceMs;
    this.#last =
      patienceMs === null
        ? over
        : begun.then(() => Promise.race([over, sleep(patienceMs, undefined, { ref: false })]));
    return result;
  }
}
