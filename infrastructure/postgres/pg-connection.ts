import pg, { type ClientConfig } from 'pg';
import { withDeadline } from '../timing/with-deadline.ts';
import { sendCancelRequest } from './cancel-request.ts';
import { nameBehind } from './connection-names.ts';
import type { DatabaseUrl } from './database-url.ts';
import { isOutlived, TargetSessionError } from './postgres-errors.ts';
import { PreparedStatement } from './prepared-statement.ts';
import { tryHosts } from './multi-host-connect.ts';
import { unfitness, type SessionTarget } from './session-target.ts';

/** One statement. Those with a name are parsed by the server once per connection. */
export interface Query<Row> {
  /** Carries the type alone; never set. */
  readonly row?: Row;
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Sees the statements that a connection runs as text. */
export interface StatementObserver {
  /** Runs `run`, which sends the statement; its result and its rejection are the statement's. */
  around<Result>(text: string, run: () => Promise<Result>): Promise<Result>;
}

export interface ConnectionOptions {
  readonly url: DatabaseUrl;
  readonly applicationName: string;
  /** For all servers of the URL together. */
  readonly connectTimeoutMs: number;
  /** The login waits for this before it shows its password, and so before the server looks for the database. */
  readonly loginAfter?: Promise<unknown> | undefined;
  /** None by default. */
  readonly deadlines?: Partial<Deadlines>;
  /** Of `execute`; null by default. */
  readonly observer?: StatementObserver | null;
}

/** After which the server gives up, in milliseconds. */
export interface Deadlines {
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
}

/** Commands after which a session is as it was before. What a function does in a SELECT is not seen here. */
const TRACELESS: ReadonlySet<string | null> = new Set([
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  '',
  null,
]);

/** `discard all`, but for prepared statements: the driver would go on believing that its named ones are there. */
const RESET_SESSION = `close all; set session authorization default; reset all; unlisten *; select pg_advisory_unlock_all();
  discard plans; discard temp; discard sequences`;

/** How long a goodbye may take before the socket is cut. */
const CLOSE_DEADLINE_MS = 2000;

/** How much later than the server's deadline the client stops waiting for an answer. */
const SILENCE_MS = 1000;

/** How long an idle connection may take to prove that it is alive. */
const PROBE_DEADLINE_MS = 1000;

/** One server connection. Never shared: whoever acquired it uses it alone. */
export class PgConnection {
  /** In `performance.now()`. */
  readonly openedAt = performance.now();
  lastUsedAt = this.openedAt;
  readonly #client: pg.Client;
  readonly #observer: StatementObserver | null;
  /** Those that have run here, by name. */
  readonly #prepared = new Map<string, PreparedStatement>();
  #alive = true;
  #outlived = false;
  #cancelled = false;
  /** Whether something ran that may have left a trace in the session. */
  #stained = false;
  #onLost: () => void = () => undefined;

  private constructor(client: pg.Client, observer: StatementObserver | null) {
    this.#client = client;
    this.#observer = observer;
    const lost = (): void => {
      if (!this.#alive) return;
      this.#alive = false;
      this.#onLost();
    };
    client.on('error', lost);
    client.on('end', lost);
    client.connection.on('errorMessage', (error: pg.DatabaseError) => {
      if (!isOutlived(error)) return;
      this.#alive = false;
      this.#outlived = true;
    });
  }

  /**
   * Connects and logs in to the first server of the URL that can be used. Rejects with the driver's or the server's
   * error, and leaves no socket behind.
   *
   * @throws {NoServerError} when the URL names several servers, or asks for a kind of server, and there is none
   */
  static open(options: ConnectionOptions): Promise<PgConnection> {
    return tryHosts(options.url, options.connectTimeoutMs, (server, target, timeoutMs) =>
      PgConnection.#logIn(server, target, { ...options, connectTimeoutMs: timeoutMs }),
    );
  }

  /**
   * The settings of the server that `open` would come to now, for drivers that take a single one. A URL that leaves no
   * choice is not tried. Rejects as `open` does.
   */
  static async locate(options: ConnectionOptions): Promise<ClientConfig> {
    const [only, ...others] = options.url.toClientConfigs();
    if (only !== undefined && others.length === 0 && options.url.sessionTarget === 'any') return only;
    return tryHosts(options.url, options.connectTimeoutMs, async (server, target, timeoutMs) => {
      const connection = await PgConnection.#logIn(server, target, {
        ...options,
        connectTimeoutMs: timeoutMs,
      });
      await connection.close();
      return server;
    });
  }

  static async #logIn(
    server: ClientConfig,
    target: SessionTarget,
    options: ConnectionOptions,
  ): Promise<PgConnection> {
    const {
      statementTimeoutMs = 0,
      lockTimeoutMs = 0,
      idleInTransactionTimeoutMs = 0,
    } = options.deadlines ?? {};
    const { password } = server;
    const { loginAfter } = options;
    const client = new pg.Client({
      ...server,
      ...(loginAfter !== undefined &&
        typeof password === 'string' && { password: () => loginAfter.then(() => password) }),
      application_name: nameBehind(server.application_name, options.applicationName),
      connectionTimeoutMillis: options.connectTimeoutMs,
      keepAlive: true,
      // The driver leaves a 0 to the server's own settings.
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
      // The server's deadlines do not reach a client whose network says nothing any more.
      ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + SILENCE_MS }),
    });
    const connection = new PgConnection(client, options.observer ?? null);
    const reported = new Map<string, string>();
    const note = (status: { parameterName: string; parameterValue: string }): void => {
      reported.set(status.parameterName, status.parameterValue);
    };
    client.connection.on('parameterStatus', note);
    try {
      await client.connect();
      client.connection.off('parameterStatus', note);
      const problem = unfitness(target, reported);
      if (problem !== null) throw new TargetSessionError(problem);
    } catch (error) {
      // A rejected connect may leave the socket open (a server that accepts and says nothing).
      await connection.close();
      throw error;
    }
    return connection;
  }

  /** Called once when the server or the network ends an idle connection. */
  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /** Called once when the connection has ended, however it did. */
  onEnd(listener: () => void): void {
    this.#client.once('end', listener);
  }

  /** Called for every notification on a channel that this session listens to. */
  onNotification(listener: () => void): void {
    this.#client.on('notification', listener);
  }

  /** Alive, in no transaction, and without a trace of the last user: fit for the next one. */
  get isReusable(): boolean {
    const status = this.#client.getTransactionStatus();
    return this.#alive && !this.#cancelled && !this.#stained && (status === 'I' || status === null);
  }

  /** Whether the server said what it would say on every connection as old as this one, and on no new one. */
  get isOutlived(): boolean {
    return this.#outlived;
  }

  /** Whether there is a transaction to roll back, on a connection that can still be told. */
  get isInTransaction(): boolean {
    const status = this.#client.getTransactionStatus();
    return this.#alive && (status === 'T' || status === 'E');
  }

  async query<Row>({ name, text, values }: Query<Row>): Promise<readonly Row[]> {
    if (this.#cancelled) throw new Error('the connection was cancelled');
    try {
      const known = name === undefined ? undefined : this.#prepared.get(name);
      if (known !== undefined && known.fits(text, values)) {
        // The caller names the columns of its statement.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        return (await known.run(this.#client, values)) as readonly Row[];
      }
      const { rows, command, fields } = await this.#client.query<Row & pg.QueryResultRow>({
        ...(name !== undefined && { name }),
        text,
        values: [...values],
      });
      if (!TRACELESS.has(command)) this.#stained = true;
      else if (name !== undefined && command !== '')
        this.#prepared.set(name, PreparedStatement.of(name, text, fields));
      return rows;
    } catch (error) {
      await this.#settle(error);
      throw error;
    }
  }

  /** Runs text that may hold several statements and takes no values; returns the last command's tag. */
  execute(text: string): Promise<string> {
    const observer = this.#observer;
    return observer === null ? this.#execute(text) : observer.around(text, () => this.#execute(text));
  }

  async #execute(text: string): Promise<string> {
    try {
      const results: pg.QueryResult | pg.QueryResult[] = await this.#client.query(text);
      const all = Array.isArray(results) ? results : [results];
      if (all.some(({ command }) => !TRACELESS.has(command))) this.#stained = true;
      return all.at(-1)?.command ?? '';
    } catch (error) {
      await this.#settle(error);
      throw error;
    }
  }

  /**
   * Wipes out whatever was done to the session; what cannot be wiped out leaves the connection unfit. Never rejects.
   */
  async reset(): Promise<void> {
    this.#stained = false;
    if (!this.isReusable) return;
    await this.execute(RESET_SESSION).catch(() => {
      this.#alive = false;
    });
    this.#stained = false;
  }

  /**
   * The driver rejects at the server's error message. Whether the transaction's end or the connection's follows is known
   * only after the next answer: until then a broken connection looks fit for the next user.
   */
  async #settle(error: unknown): Promise<void> {
    if (error instanceof pg.DatabaseError) {
      const settled = await succeeds(withDeadline(this.#client.query(''), PROBE_DEADLINE_MS));
      this.#alive &&= settled;
    } else {
      // No answer, or half of one: what comes next on this connection may belong to the last question.
      this.#alive = false;
    }
  }

  /**
   * Asks the server to give up the running statement, which then fails. The request may arrive late and hit whatever
   * runs then, so nobody else gets this connection. Safe to call twice; never throws.
   */
  cancel(): void {
    if (this.#cancelled || !this.#alive) return;
    this.#cancelled = true;
    const { host, port } = this.#client;
    // The driver sets both at login and does not declare them.
    const { processID, secretKey } = this.#client as unknown as { processID: number; secretKey: number };
    sendCancelRequest(host, port, processID, secretKey);
  }

  /** Whether the server still answers on this connection, within that time and a second. */
  async answers(withinMs: number): Promise<boolean> {
    if (!this.isReusable) return false;
    return succeeds(withDeadline(this.execute('select'), Math.min(withinMs, PROBE_DEADLINE_MS)));
  }

  /** Ends it without a word to the server: the statement under way fails now. */
  cut(): void {
    this.#alive = false;
    this.#client.connection.stream.destroy();
  }

  /** Says goodbye and waits until the server has hung up, with a deadline; never rejects. Safe to call twice. */
  async close(): Promise<void> {
    this.#alive = false;
    const ended = this.#client.end().catch(() => undefined);
    if (!(await succeeds(withDeadline(ended, CLOSE_DEADLINE_MS)))) this.#client.connection.stream.destroy();
  }
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
