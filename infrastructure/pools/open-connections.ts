import type { PgConnection } from '../postgres/pg-connection.ts';
import type { ConnectionSlot } from './connection-slot.ts';

/** A connection, and the slot of the budget that it holds. */
export interface OpenConnection {
  readonly connection: PgConnection;
  readonly slot: ConnectionSlot;
}

/**
 * The open connections of a pool, each with its slot. Connections are taken, kept and closed here alone, so that each slot
 * says what its connection does.
 */
export class OpenConnections {
  readonly #all = new Map<PgConnection, OpenConnection>();
  /** Those given back longest ago first. */
  readonly #idle: OpenConnection[] = [];
  readonly #onGone: () => void;

  /** @param onGone called when the server has hung up and the slot is back */
  constructor(onGone: () => void) {
    this.#onGone = onGone;
  }

  /** Adds a connection whose connect has succeeded. It is in use until it is kept or closed. */
  add(connection: PgConnection, slot: ConnectionSlot): OpenConnection {
    const opened = { connection, slot };
    this.#all.set(connection, opened);
    slot.move('in use');
    // When it is lost in use, its user sees the error, and the pool closes it when it comes back.
    connection.onLost(() => {
      if (slot.state === 'idle') this.close(opened);
    });
    return opened;
  }

  /**
   * What a user gives back.
   *
   * @throws {Error} when the connection was given back already, or is another pool's
   */
  inUse(connection: PgConnection): OpenConnection {
    const opened = this.#all.get(connection);
    if (opened?.slot.state !== 'in use') throw new Error('a connection was given back that is not in use');
    return opened;
  }

  /** Takes the idle connection that was used last, so that those not needed stay idle and expire. */
  takeIdle(): PgConnection | undefined {
    const taken = this.#idle.pop();
    taken?.slot.move('in use');
    return taken?.connection;
  }

  /** Keeps a connection that nobody needs now. */
  keepIdle(opened: OpenConnection): void {
    this.#idle.push(opened);
    opened.slot.move('idle');
  }

  /** Closes an idle connection, or one in use that its user has given back. */
  close(opened: OpenConnection): void {
    const { connection, slot } = opened;
    if (slot.state === 'idle') this.#idle.splice(this.#idle.indexOf(opened), 1);
    slot.move('closing');
    void connection.close().finally(() => {
      this.#all.delete(connection);
      slot.move('gone');
      this.#onGone();
    });
  }

  /** Closes the idle connection that was used longest ago. */
  closeOldestIdle(): void {
    const [oldest] = this.#idle;
    if (oldest !== undefined) this.close(oldest);
  }

  /** Closes idle connections that were last used before `before` (in `performance.now()`). */
  closeIdleSince(before: number): void {
    const unused = this.#idle.filter(({ connection }) => connection.lastUsedAt < before);
    for (const opened of unused) this.close(opened);
  }
}
