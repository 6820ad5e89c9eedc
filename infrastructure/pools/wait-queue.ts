import type { PgConnection } from '../postgres/pg-connection.ts';
import type { WorkScope } from './work-scope.ts';
import { LeaseReleasedError } from './work-scope.ts';

interface Waiter {
  /** In `performance.now()`. */
  readonly since: number;
  readonly resolve: (connection: PgConnection) => void;
  readonly reject: (error: unknown) => void;
}

/** Weight of the newest turn in the mean. */
const RECENT = 0.1;

/** Those who wait for a connection of one pool: first come, first served, each until its deadline. */
export class WaitQueue {
  readonly #waiters = new Set<Waiter>();
  /** How long a connection is held, on average, in milliseconds. */
  #turnMs = 1;

  get size(): number {
    return this.#waiters.size;
  }

  /** How long the first one has waited, in milliseconds; 0 when nobody does. */
  get waitedMs(): number {
    const [waiter] = this.#waiters;
    return waiter === undefined ? 0 : performance.now() - waiter.since;
  }

  /** Resolves with the connection that `serve` hands over. */
  join(timeoutMs: number, tooLate: () => Error, scope: WorkScope | undefined): Promise<PgConnection> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        scope?.waitedFor(giveUp);
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
      scope?.waits(giveUp);
      this.#waiters.add(waiter);
    });
  }

  /** Gives the connection to whoever waits longest; false when nobody does. */
  serve(connection: PgConnection): boolean {
    const [waiter] = this.#waiters;
    waiter?.resolve(connection);
    return waiter !== undefined;
  }

  rejectFirst(error: unknown): void {
    const [waiter] = this.#waiters;
    waiter?.reject(error);
  }

  rejectAll(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }

  /** Notes how long a connection was held. */
  observeTurn(heldMs: number): void {
    this.#turnMs += (heldMs - this.#turnMs) * RECENT;
  }

  /** How long it takes `connections` to serve all who wait, in milliseconds. */
  clearsInMs(connections: number): number {
    return (this.#waiters.size * this.#turnMs) / Math.max(1, connections);
  }
}
