import type { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import { translateError } from '../../infrastructure/postgres/postgres-errors.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';

const connect = (url: DatabaseUrl): Promise<PgConnection> =>
  PgConnection.open({ url, applicationName: 'test', connectTimeoutMs: 10_000 });

/**
 * Statements of tests, each on a session of its own while it runs. The last session on a database that is named here is
 * kept for the next statement: a login takes longer than most of them. Others would be in the way of a rename or a drop.
 */
export class Administrator {
  readonly #kept: ReadonlySet<string>;
  readonly #idle = new Map<string, PgConnection>();

  /** @param kept names of databases */
  constructor(kept: readonly string[]) {
    this.#kept = new Set(kept);
  }

  async query<Row>(url: DatabaseUrl, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const idle = this.#take(url);
    try {
      return await this.#run(url, idle ?? (await connect(url)), text, values);
    } catch (error) {
      const isLost = translateError(error, url.database) instanceof DatabaseConnectionError;
      if (idle === undefined || !isLost) throw error;
      // The test ended the session, or its server, since the last statement.
      return this.#run(url, await connect(url), text, values);
    }
  }

  async #run<Row>(
    url: DatabaseUrl,
    connection: PgConnection,
    text: string,
    values: readonly unknown[],
  ): Promise<readonly Row[]> {
    try {
      return await connection.query<Row>({ text, values });
    } finally {
      await this.#giveBack(url, connection);
    }
  }

  #take(url: DatabaseUrl): PgConnection | undefined {
    const idle = this.#idle.get(url.toString());
    this.#idle.delete(url.toString());
    return idle?.isReusable === true ? idle : undefined;
  }

  async #giveBack(url: DatabaseUrl, connection: PgConnection): Promise<void> {
    const key = url.toString();
    const isKept = this.#kept.has(url.database) && !this.#idle.has(key);
    // A statement that may have left something in the session, such as `drop database`.
    if (isKept && !connection.isReusable) await connection.reset();
    // Another statement may have come back meanwhile.
    if (isKept && connection.isReusable && !this.#idle.has(key)) this.#idle.set(key, connection);
    else await connection.close();
  }

  async close(): Promise<void> {
    const idle = [...this.#idle.values()];
    this.#idle.clear();
    await Promise.all(idle.map((connection) => connection.close()));
  }
}

/** As with the shared server: mocha may load this module twice, and there is one for the process. */
declare global {
  var madTestAdministrator: Administrator | undefined;
}

/** On the shared server's database `postgres`, for all deployments of a file. */
export const sharedAdministrator = (): Administrator => {
  globalThis.madTestAdministrator ??= new Administrator(['postgres']);
  return globalThis.madTestAdministrator;
};

/** What a file leaves open is found after this. */
export const closeSharedAdministrator = async (): Promise<void> => {
  await globalThis.madTestAdministrator?.close();
};
