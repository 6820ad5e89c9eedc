import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import knex, { type Knex } from 'knex';
import { Client } from 'pg';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import {
  metadataMigrations,
  MigrationSource,
  resultsMigrations,
} from '../../infrastructure/migrations/migration-source.ts';
import { UnknownMigrationError } from '../../infrastructure/migrations/migration-steps.ts';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { rejectionOf } from '../support/gate.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

describe('the migrator', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let url: DatabaseUrl;

  beforeEach(async () => {
    database = await createTestDatabase('migrator');
    url = DatabaseUrl.parse(database.url);
  });
  afterEach(() => database.drop());

  const select = async <Row>(text: string): Promise<readonly Row[]> => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      // The caller knows what it selects.
      return (await client.query<Row & object>(text)).rows;
    } finally {
      await client.end();
    }
  };

  /** Everything about the schema that a migration could leave different. */
  const schema = (): Promise<readonly unknown[]> =>
    select(`
      select 'column' as kind, table_name || '.' || column_name as name,
             concat_ws(' ', data_type, datetime_precision, column_default, is_nullable, is_identity) as definition
      from information_schema.columns where table_schema = 'public' and table_name !~ '^knex'
      union all
      select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace and conrelid::regclass::text !~ '^knex'
      union all
      select 'index', indexname, indexdef from pg_indexes where schemaname = 'public' and tablename !~ '^knex'
      order by 1, 2, 3`);

  const withKnex = async <Result>(
    source: MigrationSource,
    work: (database: Knex) => Promise<Result>,
  ): Promise<Result> => {
    const instance = knex({
      client: 'pg',
      connection: database.url,
      migrations: { migrationSource: source },
    });
    try {
      return await work(instance);
    } finally {
      await instance.destroy();
    }
  };

  for (const [what, source] of [
    ['metadata', metadataMigrations],
    ['results', resultsMigrations],
  ] as const) {
    describe(`with the ${what} migrations`, () => {
      it('applies each once when eight begin on a fresh database at the same time', async () => {
        const files = await source.getMigrations();
        const names = files.map((file) => source.getMigrationName(file));
        const runs = await Promise.all(Array.from({ length: 8 }, () => new Migrator(source).latest(url)));
        expect(runs.flatMap(({ applied }) => applied)).to.deep.equal(names);
        for (const { schemaVersion } of runs) expect(schemaVersion).to.equal(names.length);
        expect(await select('select name from knex_migrations order by id')).to.deep.equal(
          names.map((name) => ({ name })),
        );
      });

      it('finds nothing to do the second time', async () => {
        await new Migrator(source).latest(url);
        const before = await schema();
        expect((await new Migrator(source).latest(url)).applied).to.be.empty;
        expect(await schema()).to.deep.equal(before);
      });

      it('comes to the same schema after down and up again, and agrees with Knex on what is applied', async () => {
        const { applied } = await new Migrator(source).latest(url);
        const before = await schema();
        const [, none] = await withKnex<[number, string[]]>(source, (instance) => instance.migrate.latest());
        expect(none, 'Knex finds nothing to do').to.be.empty;

        await withKnex(source, (instance) => instance.migrate.rollback(undefined, true));
        expect(await schema(), 'nothing is left').to.be.empty;
        expect((await new Migrator(source).latest(url)).applied).to.deep.equal(applied);
        expect(await schema()).to.deep.equal(before);

        await withKnex(source, (instance) => instance.migrate.rollback(undefined, true));
        await withKnex(source, (instance) => instance.migrate.latest());
        expect((await new Migrator(source).latest(url)).applied, 'nor does this').to.be.empty;
        expect(await schema()).to.deep.equal(before);
      });

      it('names every constraint', async () => {
        await new Migrator(source).latest(url);
        const rows = await select<{ name: string }>(`
          select conname as name from pg_constraint
          where connamespace = 'public'::regnamespace and conrelid <> 0 and contype in ('c', 'f', 'p', 'u')
            and conrelid::regclass::text not in ('knex_migrations', 'knex_migrations_lock')
            and not starts_with(conname, conrelid::regclass::text)`);
        expect(rows).to.be.empty;
      });
    });
  }

  describe('with migrations of its own', () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mad-migrations-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    const source = async (migrations: Readonly<Record<string, string>>): Promise<MigrationSource> => {
      for (const [name, up] of Object.entries(migrations)) {
        const text = `export const up = async (knex) => { ${up} };\nexport const down = async () => undefined;\n`;
        await writeFile(join(folder, `${name}.js`), text);
      }
      return new MigrationSource(pathToFileURL(`${folder}/`));
    };

    it('keeps what was applied before one fails, nothing of that one, and goes on from there', async () => {
      await writeFile(join(folder, 'package.json'), '{"type": "module"}');
      const broken = await source({
        '0001_one': `await knex.raw('create table one ()')`,
        '0002_two': `await knex.raw('create table two ()'); if (!globalThis.madMended) throw new Error('broken')`,
      });
      expect(await rejectionOf(new Migrator(broken).latest(url))).to.include({ message: 'broken' });
      expect(
        await select(`select to_regclass('one') is not null as one, to_regclass('two') as two`),
      ).to.deep.equal([{ one: true, two: null }]);
      expect(await select('select name from knex_migrations')).to.deep.equal([{ name: '0001_one' }]);
      Object.assign(globalThis, { madMended: true });
      expect((await new Migrator(broken).latest(url)).applied).to.deep.equal(['0002_two']);
    });

    it('refuses a database of a newer release, and changes nothing', async () => {
      await writeFile(join(folder, 'package.json'), '{"type": "module"}');
      const newer = await source({
        '0001_one': `await knex.raw('create table one ()')`,
        '0002_two': `await knex.raw('create table two ()')`,
      });
      await new Migrator(newer).latest(url);
      await rm(join(folder, '0002_two.js'));
      expect(await rejectionOf(new Migrator(newer).latest(url))).to.be.instanceOf(UnknownMigrationError);
      expect(await select('select name from knex_migrations')).to.have.length(2);
    });
  });
});
