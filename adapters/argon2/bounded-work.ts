import { ServiceBusyError } from '../../domain/exceptions.ts';

export interface WorkBounds {
  readonly maxConcurrent: number;
  readonly maxWaiting: number;
  /** For the wait, not for the work. */
  readonly deadlineMs: number;
}

/** Runs few tasks at once, first come first served. The others wait, as many and as long as the bounds say. */
export class BoundedWork {
  readonly #bounds: WorkBounds;
  /** What begins each task that waits. */
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(bounds: WorkBounds) {
    this.#bounds = bounds;
  }

  /** Settles as `work` does. @throws {ServiceBusyError} when too many wait, or the wait took too long */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#bounds.maxConcurrent) this.#running += 1;
    else await this.#placeOfAnother();
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #placeOfAnother(): Promise<void> {
    const { maxWaiting, deadlineMs } = this.#bounds;
    if (this.#waiting.size >= maxWaiting) throw new ServiceBusyError();
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(begin);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(begin);
        reject(new ServiceBusyError());
      }, deadlineMs).unref();
      this.#waiting.add(begin);
    });
  }
}
