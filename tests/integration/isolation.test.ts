import { expect } from 'chai';
import type { Container } from 'inversify';
import { Client } from 'pg';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { DatabaseConnectionManager } from '../../infrastructure/routing/database-connection-manager.ts';
import { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import { captureLog } from '../support/captured-log.ts';
import { replaceManager } from '../support/custom-manager.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { rejectionOf, until } from '../support/gate.ts';
import { watchAdminStatements } from '../support/provisioning-steps.ts';
import { ALL_JOBS, sampleJob, sampleNote } from '../support/sample-job.ts';
import { terminateBackends } from '../support/server-faults.ts';
import { defaultServer } from '../support/servers.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];

describe('one organization and the data of another', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment({ DB_ORG_POOL_SIZE: '2', DB_ORG_MAX_OVERFLOW: '2' });
    await deployment.register(ACME, BETA);
  });
  afterEach(() => deployment.dispose());

  describe('1000-interleaved-requests-two-tenants-zero-leaks', () => {
    const CLIENTS = 20;
    const REQUESTS = 50;

    /** Requests of both by turns; returns how often one saw a row of the other. */
    const interleave = async (manager: DatabaseConnectionManager): Promise<number> => {
      let leaks = 0;
      const request = async (id: OrganizationId): Promise<void> => {
        const { database, release } = await manager.acquire(id);
        try {
          const job = await database.jobs.insert(sampleJob({ submittedBy: id, inputs: { secret_of: id } }));
          const seen = await database.transaction(async ({ jobs }) => [
            ...(await jobs.list({ status: null }, { limit: 5, after: null })).items,
            ...[await jobs.find(job?.jobId ?? '')].filter((own) => own !== null),
          ]);
          leaks += seen.filter(
            ({ submittedBy, inputs }) => submittedBy !== id || !inputs.text.includes(`"${id}"`),
          ).length;
        } finally {
          release();
        }
      };
      await Promise.all(
        Array.from({ length: CLIENTS }, async (_, client) => {
          for (let i = 0; i < REQUESTS; i += 1) await request((client + i) % 2 === 0 ? ACME : BETA);
        }),
      );
      return leaks;
    };

    const submitters = async (id: string): Promise<unknown> =>
      deployment.administer(
        'select submitted_by, count(*)::int as jobs from docking_jobs group by submitted_by',
        [],
        deployment.databaseName(id),
      );

    it('in what they read, and in where they wrote', async () => {
      // One pool kept, three connections for both: pools and connections change hands all the time.
      const settings = { DB_MAX_POOLS: '1', DB_CONNECTION_BUDGET: '3' };
      const manager = deployment.start(settings).get(TOKENS.connectionManager);
      expect(await interleave(manager)).to.equal(0);
      const half = (CLIENTS * REQUESTS) / 2;
      expect(await submitters('acme')).to.deep.equal([{ submitted_by: 'acme', jobs: half }]);
      expect(await submitters('beta')).to.deep.equal([{ submitted_by: 'beta', jobs: half }]);
    });

    it('is seen to fail where connections are not told apart', async () => {
      const container = deployment.start();
      const server = defaultServer(container);
      let first: Placement | null = null;
      const manager = replaceManager(
        container,
        {},
        {
          connect: (placement, ...values) => {
            first ??= placement;
            return server.connect(first, ...values);
          },
        },
      );
      expect(await interleave(manager)).to.be.greaterThan(0);
    });
  });

  describe('database-swapped-under-same-name-refused-by-identity-stamp', () => {
    const swap = async (): Promise<void> => {
      const [acme, beta] = [deployment.databaseName('acme'), deployment.databaseName('beta')];
      for (const name of [acme, beta]) await terminateBackends(deployment, name);
      await deployment.administer(`alter database "${acme}" rename to "${acme}.aside"`);
      await deployment.administer(`alter database "${beta}" rename to "${acme}"`);
      await deployment.administer(`alter database "${acme}.aside" rename to "${beta}"`);
    };

    const fill = async (manager: DatabaseConnectionManager): Promise<void> => {
      for (const id of [ACME, BETA]) {
        const { database, release } = await manager.acquire(id);
        await database.jobs.insert(sampleJob({ submittedBy: id })).finally(release);
      }
    };

    it('by a pool that is open, and by a new one; nothing is read or written', async () => {
      const container = deployment.start();
      const log = captureLog(container);
      const manager = container.get(TOKENS.connectionManager);
      await fill(manager);
      await swap();
      await until('the old connections are gone', () => manager.counts().connections === 0);

      for (const each of [manager, deployment.start().get(TOKENS.connectionManager)]) {
        for (const id of [ACME, BETA]) {
          const { database, release } = await each.acquire(id);
          const listing = await rejectionOf(database.jobs.list(...ALL_JOBS));
          const writing = await rejectionOf(database.jobs.insert(sampleJob()));
          release();
          expect(listing).to.be.instanceOf(DatabaseConnectionError);
          expect(writing).to.be.instanceOf(DatabaseConnectionError);
          expect(String(listing)).not.to.contain('beta').and.not.to.contain('acme');
        }
      }
      const alarms = log.filter(({ level }) => level === 'error');
      expect(alarms.map(({ fields }) => 'org_id' in fields && fields.org_id)).to.include.members([
        'acme',
        'beta',
      ]);
      expect(manager.counts().misplaced).to.be.at.least(2);

      await swap();
      const { database, release } = await manager.acquire(ACME);
      const { items } = await database.jobs.list(...ALL_JOBS).finally(release);
      expect(
        items.map(({ submittedBy }) => submittedBy),
        'served again when it is right again',
      ).to.deep.equal(['acme']);
    });

    it('is seen to fail where connections do not look at the stamp', async () => {
      const container = deployment.start();
      const server = defaultServer(container);
      const manager = replaceManager(
        container,
        {},
        {
          connect: ({ databaseName }) =>
            PgConnection.open({
              url: server.urlFor(databaseName),
              applicationName: 'careless',
              connectTimeoutMs: 3000,
              deadlines: { statementTimeoutMs: 3000 },
            }),
        },
      );
      await fill(manager);
      await swap();
      await until('the old connections are gone', () => manager.counts().connections === 0);
      const { database, release } = await manager.acquire(ACME);
      const { items } = await database.jobs.list(...ALL_JOBS).finally(release);
      expect(items.map(({ submittedBy }) => submittedBy)).to.deep.equal(['beta']);
    });
  });

  describe('tenant-role-cannot-connect-to-other-database', () => {
    const ROLES = { DB_ORG_ROLES: 'true', DB_ROLE_SECRET: 'a secret for roles that is long enough' };
    let logins: Map<string, { user: string; password: string }>;
    let container: Container;
    let manager: DatabaseConnectionManager;

    beforeEach(async () => {
      container = deployment.start(ROLES);
      manager = container.get(TOKENS.connectionManager);
      logins = new Map();
      for (const id of [ACME, BETA]) {
        await manager.provision(id);
        const record = await container.get(TOKENS.databaseLedger).find(id);
        const login = defaultServer(container).logins?.loginFor(record?.stamp ?? '');
        if (login !== undefined) logins.set(id, login);
      }
      expect(logins.size).to.equal(2);
    });

    /** A session of an organization's own role. */
    const connectAs = async (id: OrganizationId, databaseName: string): Promise<Client> => {
      const server = defaultServer(deployment.start(ROLES));
      const { user, password } = logins.get(id) ?? { user: '', password: '' };
      const client = new Client(server.urlFor(databaseName).withCredentials(user, password).toString());
      client.on('error', () => undefined); // the error of the connect comes as a rejection
      try {
        await client.connect();
      } catch (error) {
        await client.end();
        throw error;
      }
      return client;
    };

    it('and has a password that the server is never told', async () => {
      const own = deployment.start(ROLES);
      const statements = watchAdminStatements(own);
      await deployment.register('gamma');
      await own.get(TOKENS.connectionManager).provision(organizationId('gamma'));
      const record = await own.get(TOKENS.databaseLedger).find(organizationId('gamma'));
      const { user = '', password = '' } = defaultServer(own).logins?.loginFor(record?.stamp ?? '') ?? {};
      const texts = statements.map(({ text }) => text).join('\n');
      expect(texts).to.include(`create role "${user}" login password 'SCRAM-SHA-256$1:`);
      expect(texts).to.not.include(password);
    });

    it('of another organization, nor to the metadata, a template or a spare', async () => {
      const others = (await deployment.databases()).filter(
        (name) => name !== deployment.databaseName('acme'),
      );
      expect(others).to.include(deployment.databaseName('beta'));
      others.push(deployment.metadataDatabase);
      for (const name of others) {
        const error = await rejectionOf(connectAs(ACME, name).then((client) => client.end()));
        // Insufficient privilege, or a database that takes no connections.
        expect(error, name).to.have.property('code').that.is.oneOf(['42501', '55000']);
      }
    });

    it('is what the service itself uses: rows can be read and written', async () => {
      const { database, release } = await manager.acquire(ACME);
      try {
        const job = await database.jobs.insert(sampleJob());
        await database.transaction(({ jobs }) =>
          jobs.setStatus(job?.jobId ?? '', 'RUNNING', null, sampleNote('job.moved')),
        );
        expect((await database.jobs.list(...ALL_JOBS)).items).to.have.length(1);
        const [row] = await deployment.administer<{ usename: string }>(
          'select usename from pg_stat_activity where datname = $1',
          [deployment.databaseName('acme')],
        );
        expect(row?.usename).to.equal(logins.get('acme')?.user);
      } finally {
        release();
      }
    });

    it('and cannot change the schema, the ledger of migrations, other roles or the stamp', async () => {
      const client = await connectAs(ACME, deployment.databaseName('acme'));
      try {
        for (const statement of [
          'create table loot (id int)',
          'create temp table loot (id int)',
          'create schema loot',
          'alter table docking_jobs add column loot int',
          'drop table artifacts',
          'truncate docking_jobs',
          'create index on docking_jobs (engine)',
          'select * from knex_migrations',
          'create role loot',
          `alter role "${logins.get('beta')?.user}" password 'loot'`,
          `set role "${logins.get('beta')?.user}"`,
          `comment on database "${deployment.databaseName('acme')}" is 'loot'`,
          `alter database "${deployment.databaseName('acme')}" rename to loot`,
          'create database loot',
          `copy docking_jobs to program 'true'`,
          `select pg_read_file('/etc/passwd')`,
          'select rolpassword from pg_authid',
        ]) {
          const error = await rejectionOf(client.query(statement));
          expect(error, statement).to.have.property('code', '42501');
        }
      } finally {
        await client.end();
      }
    });

    it('and a role that lost its right to connect is an unusable database, not an unknown error', async () => {
      const name = deployment.databaseName('acme');
      await deployment.administer(`revoke connect on database "${name}" from "${logins.get('acme')?.user}"`);
      const { database, release } = await manager.acquire(ACME);
      const error = await rejectionOf(database.jobs.list(...ALL_JOBS).finally(release));
      const { metadata, organizations } = await container.get(TOKENS.databaseHealth).check();
      expect({ metadata, organizations }).to.deep.equal({ metadata: true, organizations: { acme: false } });
      expect(error).to.be.instanceOf(DatabaseConnectionError);
    });

    it("is seen to fail without roles: the service's login connects anywhere", async () => {
      const server = defaultServer(deployment.start());
      const client = new Client(server.urlFor(deployment.databaseName('beta')).toString());
      await client.connect();
      await client.end();
    });
  });
});
