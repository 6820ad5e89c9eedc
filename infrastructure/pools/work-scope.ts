import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';

/** Raised when a handle is used after its lease; it never reaches any database. */
export class LeaseReleasedError extends DatabaseConnectionError {
  constructor() {
    super('The lease on this database is over.');
  }
}

/** How long a statement may still run after whoever wanted its answer has left. Most are over by then. */
const GRACE_MS = 250;

/**
 * What one request has under way on a pool. When it ends, waits are given up, statements that go on are cancelled at
 * the server, and nothing new begins.
 */
export class WorkScope {
  #ended = false;
  #waits: Set<() => void> | null = null;
  #running: Set<PgConnection> | null = null;

  /** @throws {LeaseReleasedError} */
  assertOpen(): void {
    if (this.#ended) throw new LeaseReleasedError();
  }

  waits(giveUp: () => void): void {
    (this.#waits ??= new Set()).add(giveUp);
  }

  waitedFor(giveUp: () => void): void {
    this.#waits?.delete(giveUp);
  }

  /** @throws {LeaseReleasedError} */
  runs(connection: PgConnection): void {
    this.assertOpen();
    (this.#running ??= new Set()).add(connection);
  }

  ran(connection: PgConnection): void {
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
