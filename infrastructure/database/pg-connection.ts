import pg, { type ClientConfig } from 'pg';

/** One statement. Those with a name are parsed by the server once per connection. */
export interface Query<Row> {
  /** Carries the type alone; never set. */
  readonly row?: Row;
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface ConnectionOptions {
  readonly client: ClientConfig;
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** 0: none. */
  readonly statementTimeoutMs: number;
}

/** How long a goodbye may take before the socket is cut. */
const CLOSE_DEADLINE_MS = 2000;

/** How long an idle connection may take to prove that it is alive. */
const PROBE_DEADLINE_MS = 1000;

/** One server connection. Never shared: whoever acquired it uses it alone. */
export class PgConnection {
  /** `performance.now()` of the last use. */
  lastUsedAt = performance.now();
  readonly #client: pg.Client;
  #alive = true;
  #onLost: () => void = () => undefined;

  private constructor(client: pg.Client) {
    this.#client = client;
    const lost = (): void => {
      if (!this.#alive) return;
      this.#alive = false;
      this.#onLost();
    };
    client.on('error', lost);
    client.on('end', lost);
  }

  /** Connects and logs in. Rejects with the driver's or the server's error, and leaves no socket behind. */
  static async open(options: ConnectionOptions): Promise<PgConnection> {
    const client = new pg.Client({
      ...options.client,
      application_name: options.applicationName,
      connectionTimeoutMillis: options.connectTimeoutMs,
      keepAlive: true,
      ...(options.statementTimeoutMs > 0 && {
        statement_timeout: options.statementTimeoutMs,
        lock_timeout: options.statementTimeoutMs,
        idle_in_transaction_session_timeout: options.statementTimeoutMs,
      }),
    });
    const connection = new PgConnection(client);
    try {
      await client.connect();
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

  /** Called for every notification on a channel that this session listens to. */
  onNotification(listener: () => void): void {
    this.#client.on('notification', listener);
  }

  /** Alive, and in no transaction: fit for the next user. */
  get isReusable(): boolean {
    const status = this.#client.getTransactionStatus();
    return this.#alive && (status === 'I' || status === null);
  }

  async query<Row>({ name, text, values }: Query<Row>): Promise<readonly Row[]> {
    const query = name === undefined ? { text, values: [...values] } : { name, text, values: [...values] };
    try {
      return (await this.#client.query<Row & pg.QueryResultRow>(query)).rows;
    } catch (error) {
      await this.#settle();
      throw error;
    }
  }

  /** Runs text that may hold several statements and takes no values; returns the last command's tag. */
  async execute(text: string): Promise<string> {
    try {
      const results: pg.QueryResult | pg.QueryResult[] = await this.#client.query(text);
      const last = Array.isArray(results) ? results.at(-1) : results;
      return last?.command ?? '';
    } catch (error) {
      await this.#settle();
      throw error;
    }
  }

  /**
   * The driver rejects at the server's error message. Whether the transaction's end or the connection's follows is known
   * only after the next answer: until then a broken connection looks fit for the next user.
   */
  async #settle(): Promise<void> {
    await this.#client.query('').catch(() => {
      this.#alive = false;
    });
  }

  /** Whether the server still answers on this connection. */
  async answers(): Promise<boolean> {
    if (!this.isReusable) return false;
    return withDeadline(
      this.execute('select').then(
        () => true,
        () => false,
      ),
      PROBE_DEADLINE_MS,
      false,
    );
  }

  /** Says goodbye and waits until the server has hung up, with a deadline; never rejects. Safe to call twice. */
  async close(): Promise<void> {
    this.#alive = false;
    const ended = await withDeadline(
      this.#client.end().then(
        () => true,
        () => true,
      ),
      CLOSE_DEADLINE_MS,
      false,
    );
    if (!ended) this.#client.connection.stream.destroy();
  }
}

const withDeadline = <Value>(work: Promise<Value>, deadlineMs: number, otherwise: Value): Promise<Value> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(otherwise), deadlineMs);
    timer.unref();
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
