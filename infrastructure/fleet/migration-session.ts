import type { QueryResult } from 'pg';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import { PgConnection } from '../postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import type { AppliedMigration } from '../migrations/migration-steps.ts';
import { CREATE_HISTORY_TABLE, HISTORY_TABLE, MIGRATION_LOCK } from '../migrations/migrator.ts';
import { IDENTITY, OF_THIS_DATABASE } from '../postgres/stamp-sql.ts';

export interface MigrationTimeouts {
  readonly connectMs: number;
  /** Limits one statement of a migration. */
  readonly statementMs: number;
  /** Limits the wait for one lock. Later users of the table queue behind that wait. */
  readonly lockMs: number;
}

/** What a session reads from a database before it changes anything. */
export interface DatabaseFacts {
  /** Whether this session holds the lock on migrations. */
  readonly locked: boolean;
  readonly identity: string | null;
  readonly applied: readonly AppliedMigration[];
}

/** The server ends a transaction of a runner that hangs after this long, and frees its locks. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** An owner's session in one results database. It holds the lock on migrations, if it got it, until it is closed. */
export class MigrationSession {
  readonly connection: PgConnection;

  private constructor(connection: PgConnection) {
    this.connection = connection;
  }

  /** Rejects as `PgConnection.open` does. */
  static async open(
    url: DatabaseUrl,
    applicationName: string,
    timeouts: MigrationTimeouts,
  ): Promise<MigrationSession> {
    const connection = await PgConnection.open({
      url,
      applicationName,
      connectTimeoutMs: timeouts.connectMs,
      deadlines: {
        statementTimeoutMs: timeouts.statementMs,
        lockTimeoutMs: timeouts.lockMs,
        idleInTransactionTimeoutMs: IDLE_IN_TRANSACTION_MS,
      },
      // One text holds all statements of a migration, and a migration may raise its own statement timeout.
      answerTimeoutMs: 0,
    });
    return new MigrationSession(connection);
  }

  /**
   * Tries to take the lock on migrations, and reads the stamp and the history. One round trip; it waits for no lock.
   */
  async begin(): Promise<DatabaseFacts> {
    try {
      return await this.#look();
    } catch (error) {
      if (sqlStateOf(error) !== SqlState.undefinedTable) throw error;
      // An operator made and adopted this database, and no migration was applied to it yet.
      await this.connection.execute(CREATE_HISTORY_TABLE);
      return this.#look();
    }
  }

  /** Never rejects; returns within two seconds. */
  close(): Promise<void> {
    return this.connection.close();
  }

  async #look(): Promise<DatabaseFacts> {
    // A second statement reads the history: its snapshot follows the lock, so it sees the last holder's commits.
    const answers: unknown = await this.connection.lendDriver().query(
      `select pg_try_advisory_lock(${MIGRATION_LOCK}) as locked, ${IDENTITY} as identity ${OF_THIS_DATABASE};
       select name, batch from ${HISTORY_TABLE}`,
    );
    // Two statements give two results, with these columns.
    const [facts, history] = answers as [
      QueryResult<{ locked: boolean; identity: string | null }>,
      QueryResult<AppliedMigration>,
    ];
    return {
      locked: facts.rows[0]?.locked === true,
      identity: facts.rows[0]?.identity ?? null,
      applied: history.rows,
    };
  }
}
