import type { PgConnection } from '../postgres/pg-connection.ts';
import type { WorkScope } from './work-scope.ts';
import { LeaseReleasedError } from './work-scope.ts';

interface Waiter {
  /** In `performance.now()`. */
  readonly since: number;
  readonly resolve: (connection: PgConnection) => void;
  readonly reject: (error: unknown) => void;
}

/** Weight of the newest sample in the mean. */
const RECENT = 0.1;

/** The requests that wait for a connection of one pool: first come, first served, each until its deadline. */
export class WaitQueue {
  readonly #waiters = new Set<Waiter>();
  /** How long a request holds a connection, on average. */
  #meanHoldMs = 1;

  get size(): number {
    return this.#waiters.size;
  }

  /** How long the first one has waited, in milliseconds; 0 when nobody waits. */
  get waitedMs(): number {
    const [waiter] = this.#waiters;
    return waiter === undefined ? 0 : performance.now() - waiter.since;
  }

  /**
   * Resolves with the connection that `serve` is given. Rejects with what `tooLate` makes when the time is over.
   *
   * @param scope whose end is the end of the wait
   */
  join(timeoutMs: number, tooLate: () => Error, scope: WorkScope | undefined): Promise<PgConnection> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        scope?.endWait(giveUp);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        since: performance.now(),
        resolve: (connection) => {
          leave();
          resolve(connection);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const giveUp = (): void => waiter.reject(new LeaseReleasedError());
      const timer = setTimeout(() => waiter.reject(tooLate()), timeoutMs);
      scope?.beginWait(giveUp);
      this.#waiters.add(waiter);
    });
  }

  /** Gives the connection to the request that waits longest. Only while `size` is not 0. */
  serve(connection: PgConnection): void {
    const [waiter] = this.#waiters;
    if (waiter === undefined) throw new Error('nobody waits for the connection');
    waiter.resolve(connection);
  }

  rejectFirst(error: unknown): void {
    const [waiter] = this.#waiters;
    waiter?.reject(error);
  }

  rejectAll(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }

  /** Takes note of how long a request held its connection. */
  observeHold(heldMs: number): void {
    this.#meanHoldMs += (heldMs - this.#meanHoldMs) * RECENT;
  }

  /** How long it takes `connections` to serve all who wait, in milliseconds. */
  clearsInMs(connections: number): number {
    return (this.#waiters.size * this.#meanHoldMs) / Math.max(1, connections);
  }
}
