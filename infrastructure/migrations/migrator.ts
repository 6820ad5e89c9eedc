import type { Knex } from 'knex';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import { ConnectionName } from '../postgres/connection-names.ts';
import { PgConnection } from '../postgres/pg-connection.ts';
import { pollUntil } from '../timing/poll-until.ts';
import type { MigrationSource } from './migration-source.ts';
import { newerThan, stepsBetween, type AppliedMigration } from './migration-steps.ts';
import { SingleConnectionKnex } from './single-connection-knex.ts';

export interface MigrationRun {
  /** Names of the migrations that this run applied, in order. Empty when there was nothing to do. */
  readonly applied: readonly string[];
  /** The number of this release's migrations, all of which the database has now. */
  readonly schemaVersion: number;
  /** Migrations of a newer release, which the database has beyond these. Empty unless they are tolerated. */
  readonly newer: readonly string[];
}

export interface MigrationOptions {
  readonly toleratesNewer?: boolean;
}

export const HISTORY_TABLE = 'knex_migrations';

/** Knex's own history table, so that Knex's commands can read it. */
export const CREATE_HISTORY_TABLE = `create table if not exists ${HISTORY_TABLE} (
  id serial primary key, name varchar(255), batch integer, migration_time timestamptz
)`;

/** SQLSTATE of the exception that `failUnlessMigrated` raises. */
export const NOT_MIGRATED = 'MAD01';

/** A statement that fails unless the database's own history has so many migrations. Its owner may run it. */
export const failUnlessMigrated = (schemaVersion: number): string => `do $look$
  declare
    found bigint := 0;
  begin
    -- The next statement cannot even be planned without the table.
    if to_regclass('${HISTORY_TABLE}') is not null then
      select count(*) into found from ${HISTORY_TABLE};
    end if;
    if found <> ${schemaVersion} then
      raise exception 'the database has % migrations, not the first ${schemaVersion}', found using errcode = '${NOT_MIGRATED}';
    end if;
  end $look$;`;

/** Runners of one database take this advisory lock. It ends with the session; Knex's lock row would stay. */
export const MIGRATION_LOCK = 0x6d61_646d;

const CONNECT_TIMEOUT_MS = 10_000;
const LOCK_DEADLINE_MS = 60_000;

/** Applies migrations and records them as Knex's own commands do. */
export class Migrator {
  readonly #source: MigrationSource;

  constructor(source: MigrationSource) {
    this.#source = source;
  }

  /**
   * Applies all missing migrations. Safe to call concurrently, also from several processes: one runner migrates, and
   * the others wait for it, for 60 s at most. Rejects with the server's error when a migration fails.
   *
   * @param options.toleratesNewer leaves a database as it is that a newer release has migrated. Decision 0017
   * @throws {UnknownMigrationError} when the database has a migration that this release does not know
   */
  async latest(url: DatabaseUrl, options: MigrationOptions = {}): Promise<MigrationRun> {
    const connection = await PgConnection.open({
      url,
      applicationName: ConnectionName.migrations,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
    // The lock belongs to the session, so all statements use this connection.
    const { knex: database } = new SingleConnectionKnex(connection.lendDriver());
    try {
      await pollUntil(
        () => tryLock(database),
        LOCK_DEADLINE_MS,
        () => new Error('Migrations of the database are under way elsewhere.'),
      );
      return await this.#applyPending(database, options);
    } finally {
      await connection.close();
    }
  }

  async #applyPending(database: Knex, { toleratesNewer = false }: MigrationOptions): Promise<MigrationRun> {
    await database.raw(CREATE_HISTORY_TABLE);
    const files = await this.#source.getMigrations();
    const release = new Map(files.map((file) => [this.#source.getMigrationName(file), file]));
    const done = await database<AppliedMigration>(HISTORY_TABLE).select('name', 'batch');
    const newer = toleratesNewer ? newerThan([...release.keys()], done) : [];
    const known = done.filter(({ name }) => !newer.includes(name));
    const { up } = stepsBetween([...release.keys()], known, release.size);
    const batch = Math.max(0, ...done.map((row) => row.batch)) + 1;
    for (const [name, file] of release) {
      if (up.includes(name)) await this.#apply(database, file, { name, batch });
    }
    return { applied: up, schemaVersion: release.size, newer };
  }

  async #apply(database: Knex, file: string, row: { name: string; batch: number }): Promise<void> {
    const migration = await this.#source.getMigration(file);
    const record = (executor: Knex): Promise<unknown> =>
      executor(HISTORY_TABLE).insert({ ...row, migration_time: executor.fn.now() });
    if (migration.config?.transaction === false) {
      await migration.up(database);
      await record(database);
      return;
    }
    await database.transaction(async (transaction) => {
      await migration.up(transaction);
      await record(transaction);
    });
  }
}

const tryLock = async (database: Knex): Promise<boolean> => {
  const { rows } = await database.raw<{ rows: { locked: boolean }[] }>(
    'select pg_try_advisory_lock(?) as locked',
    [MIGRATION_LOCK],
  );
  return rows[0]?.locked === true;
};
