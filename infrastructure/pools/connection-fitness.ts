import type { PgConnection } from '../postgres/pg-connection.ts';

/** A connection idle for longer is asked whether it is alive before it is used; measured: free below this. */
const PROBE_AFTER_IDLE_MS = 1000;

/** A pool replaces its connections at most so often because one of them was outlived. */
const RECYCLE_EVERY_MS = 1000;

/** Which connections of a pool may be used as they are, which are probed first, and which are replaced. */
export class ConnectionFitness {
  /** Connections opened before this, in `performance.now()`, are replaced. */
  #recycledAt = -Infinity;
  /** When a connection was last found broken, in `performance.now()`. Others may have broken with it. */
  #brokeAt = 0;

  /** Connections not used since then, in `performance.now()`, are asked whether they are alive before they are used. */
  probeBefore(now: number): number {
    return Math.max(now - PROBE_AFTER_IDLE_MS, this.#brokeAt);
  }

  /** Whether the connection is closed once nobody uses it. */
  isOutdated(connection: PgConnection): boolean {
    return connection.openedAt < this.#recycledAt;
  }

  /** All connections opened so far are outdated. */
  recycle(): void {
    this.#recycledAt = performance.now();
  }

  /**
   * A connection came back unfit for the next request. Returns whether all that are as old are to be replaced: when the
   * server would say the same on each of them, and they are not being replaced already.
   */
  broke(connection: PgConnection, now: number): boolean {
    this.#brokeAt = now;
    const isRecycled = this.isOutdated(connection) || now - this.#recycledAt < RECYCLE_EVERY_MS;
    return connection.isOutlived && !isRecycled;
  }
}
