import { expect } from 'chai';
import { Client } from 'pg';
import { DatabaseProvisioningError } from '../../domain/exceptions.ts';
import { OrganizationDatabaseNotFoundError } from '../../domain/databases/errors.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { DatabaseUrl } from '../../infrastructure/postgres/database-url.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import {
  beforeEachClone,
  createdDatabases,
  hookProvisioning,
  watchAdminStatements,
} from '../support/provisioning-steps.ts';
import { openTransaction } from '../support/server-faults.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';

const ACME = organizationId('acme');

describe('provisioning that meets resistance', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme');
  });
  afterEach(() => deployment.dispose());

  const connectTo = async (databaseName: string): Promise<Client> => {
    const url = DatabaseUrl.parse(deployment.environment['DB_DATABASE_URL'] ?? '').withDatabase(databaseName);
    const client = new Client({ connectionString: url.toString() });
    client.on('error', () => undefined); // a test may drop the database under it
    await client.connect();
    return client;
  };

  const succeeds = (work: Promise<unknown>): Promise<boolean> =>
    work.then(
      () => true,
      () => false,
    );

  describe('template-in-use-55006-retries-then-succeeds', () => {
    const failuresBy = (
      sqlState: string,
      statements: ReturnType<typeof watchAdminStatements>,
    ): readonly string[] =>
      statements.filter((statement) => statement.sqlState === sqlState).map(({ text }) => text);
    const refusals = (statements: ReturnType<typeof watchAdminStatements>): readonly string[] =>
      failuresBy('55006', statements);

    it('when a session comes to the template after the look at who is there', async () => {
      const container = deployment.start();
      const statements = watchAdminStatements(container);
      const sessions: Client[] = [];
      let template = '';
      beforeEachClone(container, async () => {
        // The server itself waits 5 s for sessions to go, and refuses then.
        if (sessions.length === 0) sessions.push(await connectTo(template));
      });
      template = (await defaultServer(container).template.ready()).databaseName;
      await deployment.administer(`alter database "${template}" with allow_connections true`);
      try {
        (await container.get(TOKENS.connectionManager).acquire(ACME)).release();
        expect(refusals(statements)).to.have.length(1);
        expect(createdDatabases(statements)).to.have.length(1);
      } finally {
        for (const session of sessions) await session.end();
      }
    });

    it('at once when one is in the new database, which the renaming transaction itself looks at', async () => {
      const container = deployment.start();
      const statements = watchAdminStatements(container);
      let made = '';
      const sessions: Client[] = [];
      hookProvisioning(container, async (step, proceed, name) => {
        if (step === 'restrict') made = name;
        if (step === 'adopt' && sessions.length === 0) sessions.push(await connectTo(made));
        await proceed();
      });
      try {
        (await container.get(TOKENS.connectionManager).acquire(ACME)).release();
        expect(failuresBy('MAD02', statements), 'it was found').to.have.length(1);
        expect(refusals(statements), 'the server was not asked for the rename').to.be.empty;
        expect(createdDatabases(statements)).to.have.length(1);
      } finally {
        for (const session of sessions) await session.end();
      }
    });

    it('or rather never asks with a session inside: one at work is waited for, and idle ones are ended then', async () => {
      const container = deployment.start();
      const statements = watchAdminStatements(container);
      const { databaseName } = await defaultServer(container).template.ready();
      await deployment.administer(`alter database "${databaseName}" with allow_connections true`);
      const [idle, atWork] = [await connectTo(databaseName), await connectTo(databaseName)];
      try {
        await atWork.query('begin');
        const acquiring = container.get(TOKENS.connectionManager).acquire(ACME);
        acquiring.catch(() => undefined); // looked at below
        await until('it looks who is there', async () => {
          const looks = await deployment.administer(
            `select from pg_stat_activity where application_name = 'mad admin'
               and strpos(query, 'from pg_prepared_xact()') > 0 and strpos(query, $1) > 0`,
            [databaseName],
          );
          return looks.length > 0;
        });
        expect(await succeeds(atWork.query('select'))).to.equal(true);
        expect(await succeeds(idle.query('select'))).to.equal(true);
        await atWork.query('commit');
        (await acquiring).release();
        expect(await succeeds(idle.query('select'))).to.equal(false);
        expect(refusals(statements)).to.be.empty;
        expect(createdDatabases(statements)).to.have.length(1);
      } finally {
        await Promise.all([idle.end(), atWork.end()]);
      }
    });
  });

  it('keeps nothing of a failed attempt, and the next one succeeds', async () => {
    const container = deployment.start();
    let failures = 0;
    hookProvisioning(container, async (step, proceed) => {
      if (step === 'clone' && failures === 0) {
        failures += 1;
        throw new Error('out of luck');
      }
      await proceed();
    });
    const ledger = container.get(TOKENS.databaseLedger);
    const manager = container.get(TOKENS.connectionManager);

    const errors = await Promise.all(Array.from({ length: 10 }, () => rejectionOf(manager.acquire(ACME))));
    expect(new Set(errors).size, 'all waited for one attempt').to.equal(1);
    expect(errors[0]).to.be.instanceOf(DatabaseProvisioningError);
    expect(manager.counts()).to.include({ pools: 0, draining: 0, leases: 0, connections: 0 });
    expect(await ledger.find(ACME)).to.include({ state: 'failed', lastError: 'out of luck' });

    const { database, release } = await manager.acquire(ACME);
    expect((await database.jobs.list(...ALL_JOBS)).items).to.be.empty;
    release();
    expect(await ledger.find(ACME)).to.include({ state: 'ready', lastError: null });
  });

  it('builds the template again when an operator dropped it', async () => {
    const container = deployment.start();
    const { databaseName } = await defaultServer(container).template.ready();
    await deployment.administer(`drop database "${databaseName}"`);
    const manager = container.get(TOKENS.connectionManager);
    const { database, release } = await manager.acquire(ACME);
    expect((await database.jobs.list(...ALL_JOBS)).items).to.be.empty;
    release();
  });

  it('goes on where somebody else wrote down a failure at the same time', async () => {
    const container = deployment.start();
    await defaultServer(container).template.ready();
    const other = await openTransaction(
      deployment,
      deployment.metadataDatabase,
      `insert into organization_databases (org_id, database_name, state, last_error)
       values ('acme', '${deployment.databaseName('acme')}', 'failed', 'out of luck')`,
    );
    await deployment.start({ DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' }).get(TOKENS.spareKeeper).refill();
    const acquiring = container.get(TOKENS.connectionManager).acquire(ACME);
    acquiring.catch(() => undefined); // looked at below
    await until('the claim waits for the other one', async () => {
      const waiting = await deployment.administer(
        `select from pg_stat_activity where datname = $1 and wait_event = 'transactionid'`,
        [deployment.metadataDatabase],
      );
      return waiting.length > 0;
    });
    await other.commit();
    const { database, release } = await acquiring;
    expect((await database.jobs.list(...ALL_JOBS)).items).to.be.empty;
    release();
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.include({
      state: 'ready',
      lastError: null,
    });
  });

  it('keeps nobody waiting for those whose databases are worked on elsewhere', async () => {
    const ids = Array.from({ length: 6 }, (_, index) => `held-${index}`);
    await deployment.register(...ids);
    const elsewhere = deployment.start();
    await defaultServer(elsewhere).template.ready();
    const locks = await openTransaction(
      deployment,
      'postgres',
      ids
        .map((id) => `select pg_advisory_xact_lock(hashtextextended('${deployment.databaseName(id)}', 0))`)
        .join(';'),
    );
    const container = deployment.start();
    const manager = container.get(TOKENS.connectionManager);
    const held = ids.map((id) => manager.acquire(organizationId(id)));
    for (const each of held) each.catch(() => undefined);
    (await manager.acquire(ACME)).release();
    await locks.rollBack();
    for (const each of held) (await each).release();
  });

  it('says that the database could not be made when the server has no room for it', async () => {
    const container = deployment.start();
    hookProvisioning(container, async (step, proceed) => {
      // The server's answer of the same class that a test can provoke: a file that is not there (58P01).
      if (step === 'clone') await deployment.administer(`select pg_read_file('no such file')`);
      await proceed();
    });
    const error = await rejectionOf(container.get(TOKENS.connectionManager).acquire(ACME));
    expect(error).to.be.instanceOf(DatabaseProvisioningError);
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.include({ state: 'failed' });
  });

  it('makes no database by itself with DB_AUTO_CREATE_ORG_DBS=false, and one when asked to', async () => {
    const container = deployment.start({ DB_AUTO_CREATE_ORG_DBS: 'false' });
    const manager = container.get(TOKENS.connectionManager);
    expect(await rejectionOf(manager.acquire(ACME))).to.be.instanceOf(OrganizationDatabaseNotFoundError);
    expect(await deployment.databases()).to.be.empty;
    expect(await container.get(TOKENS.databaseLedger).find(ACME)).to.equal(null);

    await Promise.all([manager.provision(ACME), manager.provision(ACME)]);
    await manager.provision(ACME);
    expect(manager.peek(ACME), 'provisioning opens no pool').to.equal(null);
    const { database, release } = await manager.acquire(ACME);
    expect((await database.jobs.list(...ALL_JOBS)).items).to.be.empty;
    release();
  });

  describe('a database of the final name that somebody else made', () => {
    const foreign = (): string => deployment.databaseName('acme');

    beforeEach(async () => {
      await deployment.administer(`create database "${foreign()}"`);
      await deployment.administer('create table theirs (id int)', [], foreign());
      await deployment.administer('insert into theirs values (42)', [], foreign());
    });

    const expectUntouched = async (): Promise<void> => {
      expect(await deployment.administer('select id from theirs', [], foreign())).to.deep.equal([{ id: 42 }]);
      const tables = `select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`;
      expect(await deployment.administer(tables, [], foreign())).to.deep.equal([{ relname: 'theirs' }]);
      const [row] = await deployment.administer<{ comment: string | null; datacl: string | null }>(
        `select shobj_description(oid, 'pg_database') as comment, datacl from pg_database where datname = $1`,
        [foreign()],
      );
      expect(row).to.deep.include({ datacl: null });
      return undefined;
    };

    it('is never adopted, and left untouched', async () => {
      const manager = deployment.start().get(TOKENS.connectionManager);
      for (let attempt = 0; attempt < 2; attempt += 1) {
        expect(await rejectionOf(manager.acquire(ACME))).to.be.instanceOf(DatabaseProvisioningError);
      }
      await expectUntouched();
    });

    it('is not adopted when it carries the stamp of another organization', async () => {
      await deployment.administer(
        `comment on database "${foreign()}" is 'mad:beta:00000000-0000-0000-0000-000000000000:1'`,
      );
      const manager = deployment.start().get(TOKENS.connectionManager);
      expect(await rejectionOf(manager.acquire(ACME))).to.be.instanceOf(DatabaseProvisioningError);
      await expectUntouched();
    });

    it('is not adopted when it appears between the look and the rename', async () => {
      await deployment.administer(`alter database "${foreign()}" rename to "${foreign()}.aside"`);
      const container = deployment.start();
      hookProvisioning(container, async (step, proceed) => {
        if (step === 'adopt') {
          await deployment.administer(`alter database "${foreign()}.aside" rename to "${foreign()}"`);
        }
        await proceed();
      });
      const manager = container.get(TOKENS.connectionManager);
      expect(await rejectionOf(manager.acquire(ACME))).to.be.instanceOf(DatabaseProvisioningError);
      await expectUntouched();
    });
  });
});
