import pg from 'pg';
import { nameBehind } from '../postgres/connection-names.ts';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import { PgConnection } from '../postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import type { AppliedMigration } from '../migrations/migration-steps.ts';
import { CREATE_HISTORY_TABLE, HISTORY_TABLE, MIGRATION_LOCK } from '../migrations/migrator.ts';
import { IDENTITY, OF_THIS_DATABASE } from '../postgres/stamp-sql.ts';

export interface MigrationTimeouts {
  readonly connectMs: number;
  /** Of one statement of a migration. */
  readonly statementMs: number;
  /** How long a statement may wait for a lock, and with it everybody who comes after it. */
  readonly lockMs: number;
}

/** What a database says of itself before anything is done to it. */
export interface DatabaseFacts {
  /** Whether this session alone may migrate it now. */
  readonly locked: boolean;
  readonly identity: string | null;
  readonly applied: readonly AppliedMigration[];
}

/** A runner that hangs in a transaction loses it after this long, and its locks with it. */
const IDLE_IN_TRANSACTION_MS = 60_000;
const GOODBYE_MS = 2000;

/** A connection of its own to one results database, as its owner; the right to migrate it ends with it. */
export class MigrationSession {
  readonly client: pg.Client;

  private constructor(client: pg.Client) {
    this.client = client;
    // A connection that breaks while nothing is asked of it: the next statement says so.
    client.on('error', () => undefined);
  }

  static async open(
    url: DatabaseUrl,
    applicationName: string,
    timeouts: MigrationTimeouts,
  ): Promise<MigrationSession> {
    const server = await PgConnection.locate({
      url,
      applicationName,
      connectTimeoutMs: timeouts.connectMs,
    });
    const session = new MigrationSession(
      new pg.Client({
        ...server,
        application_name: nameBehind(server.application_name, applicationName),
        connectionTimeoutMillis: timeouts.connectMs,
        keepAlive: true,
        statement_timeout: timeouts.statementMs,
        lock_timeout: timeouts.lockMs,
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      }),
    );
    try {
      await session.client.connect();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  /** Takes the lock on migrations if it is free, and looks around; one round trip, which waits for nobody. */
  async begin(): Promise<DatabaseFacts> {
    try {
      return await this.#look();
    } catch (error) {
      if (sqlStateOf(error) !== SqlState.undefinedTable) throw error;
      // A database that was made elsewhere and adopted before anything was applied to it.
      await this.client.query(CREATE_HISTORY_TABLE);
      return this.#look();
    }
  }

  /** Says goodbye, with a deadline; never rejects. */
  async close(): Promise<void> {
    const cut = setTimeout(() => this.client.connection.stream.destroy(), GOODBYE_MS);
    await this.client.end().catch(() => undefined);
    clearTimeout(cut);
  }

  async #look(): Promise<DatabaseFacts> {
    // The history is read by a statement after the one that locks: whoever had the lock before has committed by then.
    const answers: unknown = await this.client.query(
      `select pg_try_advisory_lock(${MIGRATION_LOCK}) as locked, ${IDENTITY} as identity ${OF_THIS_DATABASE};
       select name, batch from ${HISTORY_TABLE}`,
    );
    // Two statements give two results, with these columns.
    const [facts, history] = answers as [
      pg.QueryResult<{ locked: boolean; identity: string | null }>,
      pg.QueryResult<AppliedMigration>,
    ];
    return {
      locked: facts.rows[0]?.locked === true,
      identity: facts.rows[0]?.identity ?? null,
      applied: history.rows,
    };
  }
}
