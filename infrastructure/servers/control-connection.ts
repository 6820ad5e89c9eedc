import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { withDeadline } from '../timing/with-deadline.ts';
import type { PgConnection, Query } from '../postgres/pg-connection.ts';

/** For a question, and for the wait for a connection to ask it on. */
const DEADLINE_MS = 1000;

/**
 * Asks one server questions on a connection of its own, one after the other: a saturated pool says nothing about the
 * server's health, and a probe must not queue behind it.
 *
 * A connect has its own deadline and may outlast the question that began it: one that passes over dead hosts, or to a
 * slow server, would else be begun again and again, and never end.
 */
export class ControlConnection {
  readonly #connect: () => Promise<PgConnection>;
  #connection: PgConnection | null = null;
  #opening: Promise<PgConnection> | null = null;
  #sessions = 0;
  #closed = false;
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
    this.#closed = true;
    await this.#turn;
    await this.#opening?.catch(() => undefined);
    await this.#drop();
  }

  async #query<Row>(query: Query<Row>): Promise<readonly Row[]> {
    try {
      // Two waits: a question whose time ran out before it was sent is never sent.
      const connection = await withDeadline(this.#connected(), DEADLINE_MS);
      return await withDeadline(connection.query(query), DEADLINE_MS);
    } catch (error) {
      await this.#drop();
      throw new DatabaseConnectionError('The server does not answer.', error);
    }
  }

  /** The connection that is there, or the one that is on its way. */
  async #connected(): Promise<PgConnection> {
    // Nobody waits for a goodbye: the question has its time.
    if (this.#connection?.isReusable === false) void this.#drop();
    if (this.#connection !== null) return this.#connection;
    if (this.#closed) throw new Error('the probe is closed');
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #open(): Promise<PgConnection> {
    this.#connection = await this.#connect();
    this.#sessions += 1;
    return this.#connection;
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    await connection?.close();
  }
}
