import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { withDeadline } from '../with-deadline.ts';
import type { PgConnection, Query } from './pg-connection.ts';

const DEADLINE_MS = 1000;

/**
 * Asks one server questions on a connection of its own, one after the other: a saturated pool says nothing about the
 * server's health, and a probe must not queue behind it.
 */
export class ServerProbe {
  readonly #connect: () => Promise<PgConnection>;
  #connection: PgConnection | null = null;
  #sessions = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connect: () => Promise<PgConnection>) {
    this.#connect = connect;
  }

  /** How many connections it has had: between two answers with the same number, the connection was never lost. */
  get sessions(): number {
    return this.#sessions;
  }

  /** @throws {DatabaseConnectionError} when the server does not answer in time */
  query<Row>(query: Query<Row>): Promise<readonly Row[]> {
    const answer = this.#turn.then(() => this.#query(query));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  /** The rows, or null when the server does not answer in time. Never rejects. */
  ask<Row>(query: Query<Row>): Promise<readonly Row[] | null> {
    return this.query(query).catch(() => null);
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#drop();
  }

  async #query<Row>(query: Query<Row>): Promise<readonly Row[]> {
    const late = new AbortController();
    try {
      return await withDeadline(this.#answer(query, late.signal), DEADLINE_MS);
    } catch (error) {
      late.abort();
      await this.#drop();
      throw new DatabaseConnectionError('The server does not answer.', error);
    }
  }

  async #answer<Row>(query: Query<Row>, late: AbortSignal): Promise<readonly Row[]> {
    if (this.#connection !== null && !this.#connection.isReusable) await this.#drop();
    const connection = this.#connection ?? (await this.#connect());
    if (late.aborted) {
      // Nobody waits for it any more, and the next question may have opened another.
      await connection.close();
      return [];
    }
    if (this.#connection === null) this.#sessions += 1;
    this.#connection = connection;
    return connection.query(query);
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    await connection?.close();
  }
}
