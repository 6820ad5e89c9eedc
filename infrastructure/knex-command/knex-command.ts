import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Knex } from 'knex';
import { CommandError } from './command-error.ts';
import { openCommandTarget, refreshLedger, type CommandTarget, type DatabaseKind } from './command-target.ts';
import { ConnectionName } from '../postgres/connection-names.ts';
import { toKnexConnection } from '../migrations/knex-connection.ts';
import {
  metadataMigrations,
  resultsMigrations,
  type MigrationSource,
} from '../migrations/migration-source.ts';
import { HISTORY_TABLE } from '../migrations/migrator.ts';

const IS_COMPILED = import.meta.url.endsWith('.js');

/** Where package.json and the TypeScript migrations are: the compiled build stands one folder deeper. */
const PROJECT = new URL(IS_COMPILED ? '../../../' : '../../', import.meta.url);

/**
 * One environment of the knexfile. Nothing is read, opened or started before Knex asks for a connection; what then
 * may start, an embedded server, ends with the process (its supervisor sees to that), and Knex's command always ends
 * with `process.exit`.
 *
 * Knex's command takes Knex's own lock, a row in `knex_migrations_lock`, which `migrate:unlock` frees after a crash.
 * The service takes an advisory lock instead and does not look at that row: do not run the command while a service
 * of another release starts.
 */
export const knexCommandConfig = (kind: DatabaseKind): Knex.Config => {
  let target: Promise<CommandTarget> | null = null;
  const open = (): Promise<CommandTarget> => {
    // Knex changes into the folder of the knexfile: `.env` and `.data` are where the service has them.
    process.chdir(fileURLToPath(PROJECT));
    target ??= openCommandTarget(kind);
    return target;
  };
  return {
    client: 'pg',
    compileSqlOnError: false,
    connection: async () => toKnexConnection((await open()).url, ConnectionName.knexCommand),
    // One connection has no queue to wait in, and leaves none behind.
    pool: { min: 0, max: 1 },
    log: { warn },
    migrations: makesMigration() ? newFileSettings(kind) : migrationSettings(kind, open),
  };
};

/** Knex's command ends with the error itself, so its announcement is left out. */
const warn = (message: string): void => {
  if (!message.startsWith('Acquire connection error:')) process.stderr.write(`${message}\n`);
};

const migrationSettings = (
  kind: DatabaseKind,
  open: () => Promise<CommandTarget>,
): Knex.MigratorConfigWithLifecycleHooks => ({
  migrationSource: new ListedMigrations(kind === 'metadata' ? metadataMigrations : resultsMigrations),
  // Up, this is before the commit: without the ledger's consent nothing is applied.
  afterAll: async (knex) => {
    const applied = await knex<{ name: string }>(HISTORY_TABLE).select('name');
    await refreshLedger(await open(), applied.length);
  },
});

/** Knex writes new files into a `directory`, and with a `directory` it ignores any `migrationSource`: so one or the other. */
const makesMigration = (): boolean => process.argv.includes('migrate:make');

/** A new migration is a source file, also when the command runs from the build beside the sources. */
const newFileSettings = (kind: DatabaseKind): Knex.MigratorConfig => {
  const stub = fileURLToPath(new URL('migrations/migration.stub', PROJECT));
  if (!existsSync(stub)) {
    throw new CommandError(`New migrations are made beside the sources, and there is no ${stub}.`);
  }
  return { directory: fileURLToPath(new URL(`migrations/${kind}/`, PROJECT)), extension: 'ts', stub };
};

/** Knex's `migrate:status` prints the property `file` of each pending migration. */
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
