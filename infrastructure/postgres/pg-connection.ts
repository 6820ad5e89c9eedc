import pg, { type ClientConfig } from 'pg';
import { withDeadline } from '../timing/with-deadline.ts';
import { sendCancelRequest, type CancelKey } from './cancel-request.ts';
import { ClusterHistory, type ClusterState } from './cluster-history.ts';
import type { ConnectionOptions, StatementObserver } from './connection-options.ts';
import { answerTimeoutOf, createClient, logIn, sessionSettings } from './log-in.ts';
import { assertSessionMode } from './pool-mode.ts';
import { isOutlived, OutdatedServerError, PooledSessionError } from './postgres-errors.ts';
import { PreparedStatement, type PreparedStep } from './prepared-statement.ts';
import { tryHosts } from './multi-host-connect.ts';
import { readFacts, type SessionFacts } from './session-facts.ts';
import { setUp } from './session-settings.ts';
import type { SessionTarget } from './session-target.ts';

/** For a library that drives a connection itself. */
export type DriverClient = pg.Client;

/** A server of a URL that takes writes. */
export interface SurveyedServer {
  readonly host: string;
  readonly port: number;
  /** Null: it was refused, as its timeline is an earlier one, or it does not say. */
  readonly timeline: number | null;
}

/** One statement. The server parses a named one once per connection. */
export interface Query<Row> {
  /** Carries the row type for the compiler; never set. */
  readonly row?: Row;
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Statements in their order. `Row` is of the last. */
export type Queries<Row> = readonly [...Query<unknown>[], Query<Row>];

export interface Answer<Row> {
  readonly rows: readonly Row[];
  /** The server's word for what it did: `ROLLBACK` for the commit of a transaction in which a statement failed. */
  readonly command: string;
}

/** Commands that leave the session's state unchanged. A function that a SELECT calls can still change it, unseen. */
const STATELESS_COMMANDS: ReadonlySet<string | null> = new Set([
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

/** `discard all` without `deallocate all`: the driver would still believe that its prepared statements exist. */
const RESET_SESSION = `close all; set session authorization default; reset all; unlisten *; select pg_advisory_unlock_all();
  discard plans; discard temp; discard sequences`;

/** After this time an orderly close gives up and destroys the socket. */
const CLOSE_DEADLINE_MS = 2000;

/** An idle connection must answer a probe within this time. */
const PROBE_DEADLINE_MS = 1000;

/**
 * One connection to a server. One user at a time: statements of two users would share a transaction.
 *
 * A connection is alive until the server, the network or `close` ends it. While alive it is reusable or not: a
 * statement that changes the session's state makes it dirty until `reset`, and `cancel` ends its reuse for good.
 */
export class PgConnection {
  /** In `performance.now()`. */
  readonly openedAt = performance.now();
  lastUsedAt = this.openedAt;
  readonly #client: pg.Client;
  readonly #observer: StatementObserver | null;
  readonly #history: ClusterHistory;
  readonly #answerTimeoutMs: number;
  /** Null until the login is over. */
  #facts: SessionFacts | null = null;
  /** Sets the session up again after a reset; null where the server itself does that. */
  #settings: string | null = null;
  /** Statements that have run on this connection, by name. */
  readonly #prepared = new Map<string, PreparedStatement>();
  #alive = true;
  #outlived = false;
  #cancelled = false;
  /** Whether a statement may have changed the session's state. */
  #dirty = false;
  #onLost: () => void = () => undefined;

  private constructor(client: pg.Client, options: ConnectionOptions) {
    const { observer = null, url } = options;
    this.#client = client;
    this.#observer = observer;
    this.#answerTimeoutMs = answerTimeoutOf(options);
    this.#history = ClusterHistory.of(url.servers);
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
   * Connects and logs in to the first usable server of the URL. Rejects with the driver's or the server's error. A
   * rejected call leaves no socket open.
   *
   * @throws {NoServerError} when the URL names several servers or a `target_session_attrs`, and no server can be used
   */
  static open(options: ConnectionOptions): Promise<PgConnection> {
    return tryHosts(options.url, options.connectTimeoutMs, (server, target, timeoutMs) =>
      PgConnection.#logIn(server, target, { ...options, connectTimeoutMs: timeoutMs }),
    );
  }

  /**
   * Logs in to all servers of a URL that names several, so that the latest timeline is known. Never rejects.
   *
   * @returns those that take writes; none for a URL of one server
   */
  static async survey(options: ConnectionOptions): Promise<readonly SurveyedServer[]> {
    const { url } = options;
    if (url.servers.length < 2) return [];
    const found = await Promise.all(
      url.toClientConfigs().map((server) => PgConnection.#timelineOf(server, options)),
    );
    const writers = found.filter((server) => server !== null);
    // With `sslmode=prefer` a server was asked twice.
    return [...new Map(writers.map((server) => [`${server.host}:${server.port}`, server])).values()];
  }

  static async #timelineOf(server: ClientConfig, options: ConnectionOptions): Promise<SurveyedServer | null> {
    const { host = '', port = 0 } = server;
    try {
      const connection = await PgConnection.#logIn(server, options.url.sessionTarget, options);
      const { timeline } = connection.cluster;
      await connection.close();
      return timeline === null ? null : { host, port, timeline };
    } catch (error) {
      return error instanceof OutdatedServerError ? { host, port, timeline: null } : null;
    }
  }

  static async #logIn(
    server: ClientConfig,
    target: SessionTarget,
    options: ConnectionOptions,
  ): Promise<PgConnection> {
    const client = createClient(server, options);
    // It listens for errors before the client connects: an error event without a listener ends the process.
    const connection = new PgConnection(client, options);
    try {
      await logIn(client, target);
      await withDeadline(connection.#prove(server, target, options), options.connectTimeoutMs);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  /**
   * Finds out where the session is, and makes its settings those that were asked for.
   *
   * @throws {OutdatedServerError}
   * @throws {PooledSessionError}
   */
  async #prove(server: ClientConfig, target: SessionTarget, options: ConnectionOptions): Promise<void> {
    const { servers } = options.url;
    this.#facts = await readFacts(servers, (text) => this.query<SessionFacts>({ text, values: [] }));
    this.#history.admit(this.#facts);
    if (options.throughPooler === true) {
      this.#settings = setUp(sessionSettings(options));
      await this.query({ text: this.#settings, values: [] });
    }
    if (this.#facts.processId === this.#cancelKey.processID) return;
    if (options.throughPooler !== true) throw new PooledSessionError('unnamed');
    await assertSessionMode(servers, this, async () => {
      const another = new PgConnection(createClient(server, options), options);
      try {
        await logIn(another.#client, target);
      } catch (error) {
        await another.close();
        throw error;
      }
      return another;
    });
  }

  /** The stamp of the database when the session began, or other text; null for none. */
  get identity(): string | null {
    return this.#facts?.identity ?? null;
  }

  /** The server's process of this session; null until the login is over. */
  get backendPid(): number | null {
    return this.#facts?.processId ?? null;
  }

  /** Whether the role that logged in had settings for its sessions when this one began. */
  get roleHasSettings(): boolean {
    return this.#facts?.roleHasSettings ?? false;
  }

  /** Whether another server has replaced the session's, as far as is known. */
  get isReplaced(): boolean {
    return this.#history.isBehind(this.#facts?.timeline ?? null);
  }

  /** Says that the cluster has been seen to write a timeline, here or elsewhere. */
  learn(state: ClusterState): void {
    this.#history.learn(state);
  }

  /** Which cluster the session is on, and which timeline that wrote when the session began. */
  get cluster(): ClusterState {
    return this.#facts ?? { systemIdentifier: null, timeline: null };
  }

  /** Sets the listener that is called once when the server or the network ends the connection. */
  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /** Called once when the connection has ended, however it did. */
  onEnd(listener: () => void): void {
    this.#client.once('end', listener);
  }

  /** Adds a listener for every error that the server sends, whoever it is for. */
  onServerError(listener: (error: unknown) => void): void {
    this.#client.connection.on('errorMessage', listener);
  }

  /** Adds a listener for every notification on a channel that this session listens to. */
  onNotification(listener: () => void): void {
    this.#client.on('notification', listener);
  }

  /**
   * Whether another user can take it over: it is alive, not cancelled, in no transaction, not dirty, and its server was
   * not replaced.
   */
  get isReusable(): boolean {
    const status = this.#client.getTransactionStatus();
    const isFree = this.#alive && !this.#cancelled && !this.#dirty && (status === 'I' || status === null);
    return isFree && !this.isReplaced;
  }

  /** Whether the server raised an error that concerns every connection of this age and no new one. */
  get isOutlived(): boolean {
    return this.#outlived;
  }

  /** Whether the connection is alive and has a transaction to roll back. */
  get isInTransaction(): boolean {
    const status = this.#client.getTransactionStatus();
    return this.#alive && (status === 'T' || status === 'E');
  }

  /** Returns the statement's rows. Rejects with the driver's or the server's error. */
  async query<Row>(query: Query<Row>): Promise<readonly Row[]> {
    return (await this.queryAll([query])).rows;
  }

  /**
   * Runs statements in their order, and none after one that fails. They go with one write when each has run here before.
   * Returns what the last one gave. Rejects with the driver's or the server's error.
   */
  async queryAll<Row>(queries: Queries<Row>): Promise<Answer<Row>> {
    this.#assertNotCancelled();
    try {
      const steps = this.#stepsOf(queries);
      let answer: Answer<unknown> = { rows: [], command: '' };
      if (steps !== null) answer = await this.#runAll(steps);
      else for (const query of queries) answer = await this.#run(query);
      // The caller's type describes the columns that its statement selects.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return answer as Answer<Row>;
    } catch (error) {
      await this.#settle(error);
      throw error;
    }
  }

  #assertNotCancelled(): void {
    if (this.#cancelled) throw new Error('the connection was cancelled');
  }

  async #run(query: Query<unknown>): Promise<Answer<unknown>> {
    this.#assertNotCancelled();
    const steps = this.#stepsOf([query]);
    if (steps !== null) return this.#runAll(steps);
    const { name, text, values } = query;
    const { rows, command, fields } = await this.#client.query<pg.QueryResultRow>({
      ...(name !== undefined && { name }),
      text,
      values: [...values],
    });
    if (!STATELESS_COMMANDS.has(command)) this.#dirty = true;
    else if (name !== undefined && command !== '')
      this.#prepared.set(name, PreparedStatement.of(name, text, fields));
    return { rows, command };
  }

  #runAll(steps: readonly PreparedStep[]): Promise<Answer<unknown>> {
    return PreparedStatement.runAll(this.#client, steps, this.#answerTimeoutMs);
  }

  /** Null: one of them has not run here yet, or has values that only the driver can write. */
  #stepsOf(queries: readonly Query<unknown>[]): readonly PreparedStep[] | null {
    const steps: PreparedStep[] = [];
    for (const { name, text, values } of queries) {
      const statement = name === undefined ? undefined : this.#prepared.get(name);
      if (statement === undefined || !statement.fits(text, values)) return null;
      steps.push({ statement, values });
    }
    return steps;
  }

  /** Runs a text of one or more statements without values. Returns the tag of the last command, such as `COMMIT`. */
  execute(text: string): Promise<string> {
    const observer = this.#observer;
    return observer === null ? this.#execute(text) : observer.around(text, () => this.#execute(text));
  }

  async #execute(text: string): Promise<string> {
    try {
      const results: pg.QueryResult | pg.QueryResult[] = await this.#client.query(text);
      const all = Array.isArray(results) ? results : [results];
      if (all.some(({ command }) => !STATELESS_COMMANDS.has(command))) this.#dirty = true;
      return all.at(-1)?.command ?? '';
    } catch (error) {
      await this.#settle(error);
      throw error;
    }
  }

  /**
   * Returns the driver's client, for a library that drives it (Knex) or a text with several results. This connection
   * does not see what runs there, so it is not reusable until `reset`.
   */
  lendDriver(): DriverClient {
    this.#dirty = true;
    return this.#client;
  }

  /**
   * Restores the state of a new session, but keeps prepared statements. A connection that cannot be reset is no
   * longer alive. Never rejects.
   */
  async reset(): Promise<void> {
    this.#dirty = false;
    if (!this.isReusable) return;
    await this.execute(`${RESET_SESSION}; ${this.#settings ?? ''}`).catch(() => {
      this.#alive = false;
    });
    this.#dirty = false;
  }

  /**
   * Brings `#alive` up to date after an error. The driver rejects as soon as the server's error message arrives,
   * before it knows whether the connection ends too. The answer to one more query settles that.
   */
  async #settle(error: unknown): Promise<void> {
    if (error instanceof pg.DatabaseError) {
      const settled = await succeeds(withDeadline(this.#client.query(''), PROBE_DEADLINE_MS));
      this.#alive &&= settled;
    } else {
      // The answer is incomplete: the next bytes on this connection may belong to the failed statement.
      this.#alive = false;
    }
  }

  /**
   * Asks the server to cancel the running statement, which then fails. The request may arrive late and cancel a later
   * statement, so the connection is not reusable afterwards. Safe to call twice; never throws.
   */
  cancel(): void {
    if (this.#cancelled || !this.#alive) return;
    this.#cancelled = true;
    sendCancelRequest(this.#cancelKey);
  }

  get #cancelKey(): CancelKey {
    // The driver sets the key at login; its types declare neither that nor the TLS options.
    return this.#client as unknown as CancelKey;
  }

  /** Whether the server answers on this connection within `withinMs`, and within one second at most. */
  async answers(withinMs: number): Promise<boolean> {
    if (!this.isReusable) return false;
    return succeeds(withDeadline(this.execute('select'), Math.min(withinMs, PROBE_DEADLINE_MS)));
  }

  /** Ends the session without a word to the server: the statement under way fails at once. */
  cut(): void {
    this.#alive = false;
    this.#client.connection.stream.destroy();
  }

  /** Ends the session and waits up to two seconds for the server. Never rejects. Safe to call twice. */
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
