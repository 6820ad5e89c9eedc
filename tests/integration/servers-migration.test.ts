import { expect } from 'chai';
import { Client } from 'pg';
import { metadataMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { until } from '../support/gate.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** The last metadata migration of the release that knew one server. */
const BEFORE = '0012_suspension';

describe('The upgrade to several servers', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let client: Client;

  before(async () => {
    database = await createTestDatabase('servers');
    client = new Client({ connectionString: database.url });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  it('counts a database that the release before it claims while the migration waits for it', async () => {
    const url = DatabaseUrl.parse(database.url);
    const files = await metadataMigrations.getMigrations();
    const position = files.findIndex((file) => metadataMigrations.getMigrationName(file) === BEFORE) + 1;
    await new Migrator(metadataMigrations.upTo(position)).latest(url);

    await client.query(`begin; insert into organizations (org_id, name) values ('acme', 'Acme')`);
    await client.query(`insert into organization_databases (org_id, database_name, stamp)
      values ('acme', 'mad_results_acme', gen_random_uuid())`);
    const migrating = new Migrator(metadataMigrations).latest(url);
    migrating.catch(() => undefined); // looked at below
    await until('the migration waits', async () => {
      const { rows } = await client.query(
        `select from pg_locks where not granted and relation = 'organization_databases'::regclass
           and database = (select oid from pg_database where datname = current_database())`,
      );
      return rows.length > 0;
    });
    await client.query('commit');
    await migrating;

    const countOf = async (): Promise<unknown> =>
      (await client.query('select server_id, databases from results_servers')).rows;
    expect(await countOf()).to.deep.equal([{ server_id: 'default', databases: 1 }]);
    await client.query(`update organization_databases set stamp = null where org_id = 'acme'`);
    expect(await countOf()).to.deep.equal([{ server_id: 'default', databases: 0 }]);
  });
});
