import { expect } from 'chai';
import type { Container } from 'inversify';
import { Client } from 'pg';
import type { MigrationTarget } from '../../application/ports/fleet/database-migrator.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { asRelease, createReleases, historyOf, provisionAll, type Releases } from '../support/fleet.ts';
import { until } from '../support/gate.ts';
import { defaultServer, overrideServers } from '../support/servers.ts';

const ACME = organizationId('acme');
const INDEX = 'docking_jobs_engine_idx';

describe('the migrator of results databases', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let releases: Releases;
  let container: Container;
  let target: MigrationTarget;

  before(async () => {
    releases = await createReleases([
      {
        name: 'index_engine',
        transaction: false,
        up: `
          await knex.raw('drop index concurrently if exists ${INDEX}');
          await knex.raw('create index concurrently ${INDEX} on docking_jobs (engine)');`,
        down: `await knex.raw('drop index concurrently ${INDEX}')`,
      },
      {
        name: 'depends_on_data',
        up: `
          const { rows } = await knex.raw('select count(*)::int as jobs from docking_jobs');
          await knex('docking_jobs').insert({ job_id: '00000000-0000-4000-8000-00000000000' + rows[0].jobs,
            status: 'PENDING', engine: 'vina', pipeline_version: '1', inputs: { a: 1 }, params: {}, priority: 0,
            input_signature: '0'.repeat(64), submitted_by: 'migration' });
          await knex.transaction((nested) => nested.raw('create table nested ()'));
          if (globalThis.madBreaks) throw new Error('on purpose');`,
        down: `await knex.raw('drop table nested'); await knex('docking_jobs').delete();`,
      },
    ]);
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
    await provisionAll(asRelease(deployment.start(), releases.release(releases.base)), ['acme']);
    container = asRelease(deployment.start(), releases.release(releases.newest));
    const record = await container.get(TOKENS.databaseLedger).find(ACME);
    target = {
      organizationId: ACME,
      serverId: DEFAULT_SERVER,
      databaseName: deployment.databaseName('acme'),
      stamp: record?.stamp ?? '',
      generation: record?.generation ?? 0,
      toVersion: releases.base + 1,
    };
  });
  afterEach(() => deployment.dispose());

  const inAcme = <Row>(sql: string): Promise<readonly Row[]> =>
    deployment.administer<Row>(sql, [], deployment.databaseName('acme'));
  const migrators = () =>
    [deployment.start(), deployment.start()].map((process) =>
      asRelease(process, releases.release(releases.newest)).get(TOKENS.databaseMigrator),
    );

  /** A session that is in a transaction of which others have to await the end. */
  const openOldTransaction = async (): Promise<Client> => {
    const url = DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '');
    const client = new Client(url.withDatabase(target.databaseName).toClientConfigs()[0]);
    await client.connect();
    await client.query('begin isolation level repeatable read; select count(*) from docking_jobs');
    return client;
  };

  it('puts a database off when its process may open no connection to the server, and loses none for that', async () => {
    overrideServers(container, (server) => ({ takeSlot: () => server.takeSlot(20) }));
    const { budget } = defaultServer(container);
    const migrator = container.get(TOKENS.databaseMigrator);
    // More processes share the server's connections than there are.
    budget.resize(0);
    expect(await migrator.migrate(target)).to.include({ kind: 'away', schemaVersion: null });
    budget.resize(1);
    expect((await migrator.migrate(target)).kind).to.equal('done');
    expect(budget.taken).to.equal(0);
  });

  it('concurrent-index-with-waiters-does-not-deadlock: those who come second hold nothing and wait for nothing', async () => {
    const old = await openOldTransaction();
    const [first, second] = migrators();
    try {
      const building = first?.migrate(target);
      await until('the index is being built and waits for the old transaction', async () => {
        const rows = await deployment.administer(
          `select from pg_stat_activity where datname = $1 and query like 'create index concurrently%' and wait_event_type = 'Lock'`,
          [target.databaseName],
        );
        return rows.length === 1;
      });
      for (let waiter = 0; waiter < 5; waiter += 1) {
        expect(await second?.migrate(target)).to.deep.equal({
          kind: 'deferred',
          reason: 'another migration of this database is under way',
          schemaVersion: null,
          applied: [],
        });
      }
      await old.query('commit');
      expect(await building).to.include({ kind: 'done', schemaVersion: releases.base + 1 });
    } finally {
      await old.end();
    }
    expect(
      await inAcme(`select indisvalid from pg_index where indexrelid = '${INDEX}'::regclass`),
    ).to.deep.equal([{ indisvalid: true }]);
    expect(await second?.migrate(target), 'nothing is left to do').to.deep.include({
      kind: 'done',
      applied: [],
    });
  });

  it('builds an index again that a killed builder left invalid', async () => {
    const old = await openOldTransaction();
    const [migrator] = migrators();
    const building = migrator?.migrate(target);
    await until('the index is being built', async () => {
      const rows = await deployment.administer(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity
         where datname = $1 and query like 'create index concurrently%' and wait_event_type = 'Lock'`,
        [target.databaseName],
      );
      return rows.length === 1;
    });
    expect(await building).to.include({ kind: 'deferred' });
    await old.end();
    expect(
      await inAcme(`select indisvalid from pg_index where indexrelid = '${INDEX}'::regclass`),
    ).to.deep.equal([{ indisvalid: false }]);
    expect(await migrator?.migrate(target)).to.include({ kind: 'done' });
    expect(
      await inAcme(`select indisvalid from pg_index where indexrelid = '${INDEX}'::regclass`),
    ).to.deep.equal([{ indisvalid: true }]);
  });

  it('waits for a server that takes no writes, as before a planned move of its own', async () => {
    const [migrator] = migrators();
    await deployment.administer(
      `alter database "${target.databaseName}" set default_transaction_read_only = on`,
    );
    const refused = await migrator?.migrate(target);
    expect(refused).to.include({ kind: 'deferred', schemaVersion: releases.base });
    expect(refused)
      .to.have.property('reason')
      .that.matches(/read-only transaction \(25006\)$/);
    await deployment.administer(
      `alter database "${target.databaseName}" reset default_transaction_read_only`,
    );
    expect(await migrator?.migrate(target)).to.include({ kind: 'done' });
  });

  it('runs migrations that ask before they act, in one transaction with their entry in the history', async () => {
    const migrator = container.get(TOKENS.databaseMigrator);
    const toVersion = releases.newest;
    Object.assign(globalThis, { madBreaks: true });
    const failed = await migrator.migrate({ ...target, toVersion });
    Object.assign(globalThis, { madBreaks: false });
    expect(failed).to.deep.equal({
      kind: 'failed',
      reason: 'migration 9002_depends_on_data: on purpose',
      schemaVersion: releases.base + 1,
      applied: ['9001_index_engine'],
    });
    expect(await inAcme(`select to_regclass('nested') as nested`)).to.deep.equal([{ nested: null }]);
    expect(await inAcme('select from docking_jobs')).to.have.length(0);

    expect(await migrator.migrate({ ...target, toVersion })).to.include({
      kind: 'done',
      schemaVersion: toVersion,
    });
    expect(await inAcme('select job_id from docking_jobs')).to.deep.equal([
      { job_id: '00000000-0000-4000-8000-000000000000' },
    ]);
    expect(await historyOf(deployment, 'acme')).to.include('9002_depends_on_data');
    const back = await migrator.migrate({ ...target, toVersion: releases.base });
    expect(back.applied).to.deep.equal(['9002_depends_on_data', '9001_index_engine']);
    expect(await historyOf(deployment, 'acme')).to.have.length(releases.base);
  });

  it('applies each migration once when six processes begin at the same time', async () => {
    const six = [...migrators(), ...migrators(), ...migrators()];
    const toVersion = releases.newest;
    const outcomes = await Promise.all(six.map((migrator) => migrator.migrate({ ...target, toVersion })));
    expect(outcomes.map(({ kind }) => kind)).to.not.include('failed');
    expect(outcomes.flatMap(({ applied }) => applied)).to.have.length(2);
    expect((await historyOf(deployment, 'acme')).length).to.equal(releases.newest);
  });

  it('counts its connections against the budget, and gives every one back', async () => {
    const budget = defaultServer(container).budget;
    const old = await openOldTransaction();
    const building = container.get(TOKENS.databaseMigrator).migrate(target);
    await until('a connection is taken', () => budget.taken === 1);
    await old.end();
    await building;
    expect(budget.taken).to.equal(0);
  });
});
