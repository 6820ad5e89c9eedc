import type { PgConnection, Query } from './pg-connection.ts';

const DEADLINE_MS = 1500;

/**
 * Asks one server a question on a connection of its own: a saturated pool says nothing about the server's health,
 * and a probe must not queue behind it.
 */
export class ServerProbe {
  readonly #connect: () => Promise<PgConnection>;
  #connection: PgConnection | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connect: () => Promise<PgConnection>) {
    this.#connect = connect;
  }

  /** The rows, or null when the server does not answer in time. Never rejects. */
  ask<Row>(query: Query<Row>): Promise<readonly Row[] | null> {
    const answer = this.#turn.then(() => this.#ask(query));
    this.#turn = answer;
    return answer;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#drop();
  }

  async #ask<Row>(query: Query<Row>): Promise<readonly Row[] | null> {
    const late = new AbortController();
    const deadline = new Promise<null>((resolve) => {
      late.signal.addEventListener('abort', () => resolve(null));
    });
    const timer = setTimeout(() => late.abort(), DEADLINE_MS);
    const rows = await Promise.race([this.#answer(query, late.signal).catch(() => null), deadline]);
    clearTimeout(timer);
    if (rows === null) await this.#drop();
    return rows;
  }

  async #answer<Row>(query: Query<Row>, late: AbortSignal): Promise<readonly Row[]> {
    if (this.#connection !== null && !this.#connection.isReusable) await this.#drop();
    const connection = this.#connection ?? (await this.#connect());
    if (late.aborted) {
      // Nobody waits for it any more, and the next question may have opened another.
      await connection.close();
      return [];
    }
    this.#connection = connection;
    return connection.query(query);
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    await connection?.close();
  }
}
