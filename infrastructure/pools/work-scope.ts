import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';

/** Raised when a handle is used after its lease; it never reaches any database. */
export class LeaseReleasedError extends DatabaseConnectionError {
  constructor() {
    super('The lease on this database is over.');
  }
}

/** How long a statement may still run after the end of the request that sent it. Most are over by then. */
const GRACE_MS = 250;

/**
 * What one request has under way on a pool. When the request ends, its waits for a connection are given up, its statements
 * are cancelled at the server, and nothing new begins. Decision 0006.
 */
export class WorkScope {
  /** See `LeaseCost`. */
  readonly cost = { queries: 0, dbMs: 0, waitedMs: 0 };
  #ended = false;
  #waits: Set<() => void> | null = null;
  #running: Set<PgConnection> | null = null;

  /** @throws {LeaseReleasedError} */
  assertOpen(): void {
    if (this.#ended) throw new LeaseReleasedError();
  }

  /** @param giveUp called when the request ends before `endWait` */
  beginWait(giveUp: () => void): void {
    (this.#waits ??= new Set()).add(giveUp);
  }

  endWait(giveUp: () => void): void {
    this.#waits?.delete(giveUp);
  }

  /** @throws {LeaseReleasedError} */
  beginStatement(connection: PgConnection): void {
    this.assertOpen();
    (this.#running ??= new Set()).add(connection);
  }

  endStatement(connection: PgConnection): void {
    this.cost.dbMs += performance.now() - connection.lastUsedAt;
    this.#running?.delete(connection);
  }

  /** Safe to call twice. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const giveUp of this.#waits ?? []) giveUp();
    const running = this.#running;
    if (running === null || running.size === 0) return;
    setTimeout(() => {
      for (const connection of running) connection.cancel();
    }, GRACE_MS).unref();
  }
}
