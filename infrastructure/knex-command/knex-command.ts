import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Knex } from 'knex';
import { CommandError } from './command-error.ts';
import { numberNewMigrations } from './number-new-migrations.ts';
import { openCommandTarget, refreshLedger, type CommandTarget, type DatabaseKind } from './command-target.ts';
import { ConnectionName } from '../postgres/connection-names.ts';
import {
  metadataMigrations,
  resultsMigrations,
  type MigrationSource,
} from '../migrations/migration-source.ts';
import { HISTORY_TABLE } from '../migrations/migrator.ts';
import { overConnection } from '../migrations/single-connection-knex.ts';
import { PgConnection } from '../postgres/pg-connection.ts';
import { once } from '../timing/once.ts';

const IS_COMPILED = import.meta.url.endsWith('.js');

const CONNECT_TIMEOUT_MS = 10_000;

/** The folder of package.json and the TypeScript migrations. The compiled build is one folder deeper. */
const PROJECT = new URL(IS_COMPILED ? '../../../' : '../../', import.meta.url);

/**
 * Makes one environment of the knexfile. Nothing is read, opened or started until Knex asks for a connection. An
 * embedded server that starts then ends with the process: its supervisor stops it, and Knex's command always calls
 * `process.exit`.
 *
 * Knex's command takes Knex's own lock, a row in `knex_migrations_lock`; `migrate:unlock` frees it after a crash. The
 * service uses an advisory lock instead, so do not run the command while a service of another release starts.
 */
export const knexCommandConfig = (kind: DatabaseKind): Knex.Config => {
  let target: Promise<CommandTarget> | null = null;
  const open = (): Promise<CommandTarget> => {
    // Knex has changed into the folder of the knexfile, but `.env` and `.data` are in the project's folder.
    process.chdir(fileURLToPath(PROJECT));
    target ??= openCommandTarget(kind);
    return target;
  };
  // The command ends with the process, and the connection with it.
  const connect = once(async () => {
    const connection = await PgConnection.open({
      url: (await open()).url,
      applicationName: ConnectionName.knexCommand,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
    return connection.lendDriver();
  });
  return {
    ...overConnection(connect),
    migrations: makesMigration() ? newFileSettings(kind) : migrationSettings(kind, open),
  };
};

const migrationSettings = (
  kind: DatabaseKind,
  open: () => Promise<CommandTarget>,
): Knex.MigratorConfigWithLifecycleHooks => ({
  migrationSource: new ListedMigrations(kind === 'metadata' ? metadataMigrations : resultsMigrations),
  // `migrate:latest` and `migrate:up` call this before the commit: if it fails, nothing is applied.
  afterAll: async (knex) => {
    const applied = await knex<{ name: string }>(HISTORY_TABLE).select('name');
    await refreshLedger(await open(), applied.length);
  },
});

/** Only `migrate:make` gets a `directory`: with one, Knex ignores `migrationSource`. */
const makesMigration = (): boolean => process.argv.includes('migrate:make');

/** Puts a new migration beside the TypeScript sources, also when the compiled build runs the command. */
const newFileSettings = (kind: DatabaseKind): Knex.MigratorConfig => {
  const stub = fileURLToPath(new URL('migrations/migration.stub', PROJECT));
  if (!existsSync(stub)) {
    throw new CommandError(`New migrations are made beside the sources, and there is no ${stub}.`);
  }
  const directory = fileURLToPath(new URL(`migrations/${kind}/`, PROJECT));
  // Knex can only name a file after the time, and its command ends the process as soon as the file is written.
  process.once('exit', () => numberNewMigrations(directory));
  return { directory, extension: 'ts', stub };
};

/** Lists migrations as objects, because Knex's `migrate:status` prints the property `file` of each. */
class ListedMigrations implements Knex.MigrationSource<{ readonly file: string }> {
  readonly #source: MigrationSource;

  constructor(source: MigrationSource) {
    this.#source = source;
  }

  async getMigrations(): Promise<{ readonly file: string }[]> {
    return (await this.#source.getMigrations()).map((file) => ({ file }));
  }

  getMigrationName({ file }: { readonly file: string }): string {
    return this.#source.getMigrationName(file);
  }

  getMigration({ file }: { readonly file: string }): Promise<Knex.Migration> {
    return this.#source.getMigration(file);
  }
}
