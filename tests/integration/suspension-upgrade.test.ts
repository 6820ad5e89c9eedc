import { expect } from 'chai';
import knex from 'knex';
import { Client } from 'pg';
import { metadataMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { Migrator } from '../../infrastructure/migrations/migrator.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { rejectionOf } from '../support/gate.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** The last metadata migration of the release that wrote a suspension down twice. */
const BEFORE = '0011_audit_order';
const MIGRATION = '0012_suspension';

/** How that release changes the status of an organization, and the state of its database with it. */
const MOVE_STATUS = `
  with moved as (
    update organizations set status = $1, updated_at = now() where org_id = $2 and status = $3 returning org_id, status
  ), followed as (
    update organization_databases d
    set state = case moved.status when 'suspended' then 'suspended' else 'ready' end, updated_at = now()
    from moved
    where d.org_id = moved.org_id
      and d.state = case moved.status when 'suspended' then 'ready' else 'suspended' end
  )
  select org_id from moved`;

describe('The upgrade to one truth about a suspension', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let client: Client;

  before(async () => {
    database = await createTestDatabase('suspension');
    client = new Client({ connectionString: database.url });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  const positionOf = async (name: string): Promise<number> => {
    const files = await metadataMigrations.getMigrations();
    return files.findIndex((file) => metadataMigrations.getMigrationName(file) === name) + 1;
  };
  const migrateTo = async (name: string): Promise<void> => {
    const source = metadataMigrations.upTo(await positionOf(name));
    await new Migrator(source).latest(DatabaseUrl.parse(database.url));
  };
  const register = (id: string, status: string, state: string): Promise<unknown> =>
    client.query(`
      insert into organizations (org_id, name, status) values ('${id}', '${id}', '${status}');
      insert into organization_databases (org_id, database_name, state, stamp, schema_version)
        values ('${id}', 'mad_results_${id}', '${state}', gen_random_uuid(), 1)`);
  const stateOf = async (id: string): Promise<unknown> => {
    const { rows } = await client.query(
      'select status, state from organizations join organization_databases using (org_id) where org_id = $1',
      [id],
    );
    return rows[0];
  };

  it('leaves suspended organizations suspended, with a database that is ready', async () => {
    await migrateTo(BEFORE);
    await register('active', 'active', 'ready');
    await register('paused', 'suspended', 'suspended');
    await register('half', 'suspended', 'provisioning');
    await register('retired', 'retired', 'ready');
    await migrateTo(MIGRATION);
    expect(await stateOf('active')).to.deep.equal({ status: 'active', state: 'ready' });
    expect(await stateOf('paused')).to.deep.equal({ status: 'suspended', state: 'ready' });
    expect(await stateOf('half')).to.deep.equal({ status: 'suspended', state: 'provisioning' });
    // By hand, for no release wrote that: it is still not served.
    expect(await stateOf('retired')).to.deep.equal({ status: 'suspended', state: 'ready' });
  });

  it('keeps one truth while the release before it suspends and resumes', async () => {
    const move = async (from: string, to: string): Promise<unknown> => {
      const { rows } = await client.query(MOVE_STATUS, [to, 'active', from]);
      expect(rows).to.have.length(1);
      return stateOf('active');
    };
    expect(await move('active', 'suspended')).to.deep.equal({ status: 'suspended', state: 'ready' });
    expect(await move('suspended', 'active')).to.deep.equal({ status: 'active', state: 'ready' });
    await register('inserted', 'suspended', 'suspended');
    expect(await stateOf('inserted')).to.deep.equal({ status: 'suspended', state: 'ready' });
  });

  it('lets nobody write a status that no release knows', async () => {
    const refused = await rejectionOf(
      client.query(`update organizations set status = 'retired' where org_id = 'active'`),
    );
    expect(refused).to.include({ code: '23514', constraint: 'organizations_status_check' });
  });

  it('leads back to what the release before it writes', async () => {
    const file = (await metadataMigrations.getMigrations()).find((name) => name.startsWith(MIGRATION)) ?? '';
    const { down } = await metadataMigrations.getMigration(file);
    const instance = knex({ client: 'pg', connection: database.url });
    try {
      await instance.transaction(async (transaction) => {
        await down?.(transaction);
      });
    } finally {
      await instance.destroy();
    }
    expect(await stateOf('active')).to.deep.equal({ status: 'active', state: 'ready' });
    expect(await stateOf('paused')).to.deep.equal({ status: 'suspended', state: 'suspended' });
    expect(await stateOf('half')).to.deep.equal({ status: 'suspended', state: 'provisioning' });
    expect((await client.query(MOVE_STATUS, ['active', 'paused', 'suspended'])).rows).to.have.length(1);
    expect(await stateOf('paused')).to.deep.equal({ status: 'active', state: 'ready' });
  });
});
