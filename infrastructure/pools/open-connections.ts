import type { PgConnection } from '../postgres/pg-connection.ts';
import type { ConnectionSlot } from './connection-slot.ts';

/**
 * The open connections of a pool, each with its slot. Connections are taken, kept, handed over and closed here alone, so
 * that each slot says what its connection does.
 */
export class OpenConnections {
  readonly #slots = new Map<PgConnection, ConnectionSlot>();
  /** Those given back longest ago first. */
  readonly #idle: PgConnection[] = [];
  readonly #onGone: () => void;

  /** @param onGone called when the server has hung up and the slot is back */
  constructor(onGone: () => void) {
    this.#onGone = onGone;
  }

  /** Adds a connection whose connect has succeeded. It is in use until it is kept or closed. */
  add(connection: PgConnection, slot: ConnectionSlot): void {
    this.#slots.set(connection, slot);
    slot.move('in use');
    // When it is lost in use, its user sees the error, and the pool closes it when it comes back.
    connection.onLost(() => {
      if (slot.state === 'idle') this.close(connection);
    });
  }

  /** @throws {Error} when the connection was given back already, or is another pool's */
  assertInUse(connection: PgConnection): void {
    if (this.#slotOf(connection).state !== 'in use')
      throw new Error('a connection was given back that is not in use');
  }

  /** Takes the idle connection that was used last, so that those not needed stay idle and expire. */
  takeIdle(): PgConnection | undefined {
    const connection = this.#idle.pop();
    if (connection !== undefined) this.#slotOf(connection).move('in use');
    return connection;
  }

  /** Keeps a connection that nobody needs now. */
  keepIdle(connection: PgConnection): void {
    this.#idle.push(connection);
    this.#slotOf(connection).move('idle');
  }

  /** A connection goes from one request to the next. */
  handOver(connection: PgConnection): void {
    this.#slotOf(connection).move('in use');
  }

  /** Closes an idle connection, or one in use that its user has given back. */
  close(connection: PgConnection): void {
    const slot = this.#slotOf(connection);
    if (slot.state === 'idle') this.#idle.splice(this.#idle.indexOf(connection), 1);
    slot.move('closing');
    void connection.close().finally(() => {
      this.#slots.delete(connection);
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
    const unused = this.#idle.filter(({ lastUsedAt }) => lastUsedAt < before);
    for (const connection of unused) this.close(connection);
  }

  #slotOf(connection: PgConnection): ConnectionSlot {
    const slot = this.#slots.get(connection);
    if (slot === undefined) throw new Error('the pool has no such connection');
    return slot;
  }
}
