import { expect } from 'chai';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { DatabaseConnectionManager } from '../../infrastructure/routing/database-connection-manager.ts';
import { READ_FACTS } from '../../infrastructure/postgres/session-facts.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { lockTable, terminateBackends, type TableLock } from '../support/server-faults.ts';
import { defaultServer } from '../support/servers.ts';
import { startTcpProxy, throughProxies } from '../support/tcp-proxy.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];

describe('pools when the server ends their sessions', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let manager: DatabaseConnectionManager;

  beforeEach(async () => {
    deployment = await createDeployment({ DB_ORG_POOL_SIZE: '3', DB_ORG_MAX_OVERFLOW: '0' });
    await deployment.register(ACME, BETA);
    manager = deployment.start().get(TOKENS.connectionManager);
  });
  afterEach(() => deployment.dispose());

  const withDatabase = async <Result>(
    work: (database: ResultsDatabase) => Promise<Result>,
  ): Promise<Result> => {
    const { database, release } = await manager.acquire(ACME);
    try {
      return await work(database);
    } finally {
      release();
    }
  };

  describe('backend-terminated-57P01-retried-only-outside-transaction', () => {
    let lock: TableLock;

    beforeEach(async () => {
      await withDatabase(({ jobs }) => jobs.insert(sampleJob()));
      lock = await lockTable(deployment, deployment.databaseName('acme'), 'docking_jobs');
    });
    afterEach(() => lock.release());

    it('a read is sent again, and answered', async () => {
      const reading = withDatabase(({ jobs }) => jobs.list(...ALL_JOBS));
      reading.catch(() => undefined); // looked at below
      expect(await lock.terminateWaiting()).to.equal(1);
      await lock.release();
      expect((await reading).items).to.have.length(1);
    });

    it('a read is sent again only once', async () => {
      const reading = rejectionOf(withDatabase(({ jobs }) => jobs.list(...ALL_JOBS)));
      expect(await lock.terminateWaiting()).to.equal(1);
      expect(await lock.terminateWaiting()).to.equal(1);
      expect(await reading).to.be.instanceOf(DatabaseConnectionError);
    });

    it('a write is not', async () => {
      const writing = rejectionOf(withDatabase(({ jobs }) => jobs.insert(sampleJob())));
      expect(await lock.terminateWaiting()).to.equal(1);
      await lock.release();
      expect(await writing).to.be.instanceOf(DatabaseConnectionError);
      expect((await withDatabase(({ jobs }) => jobs.list(...ALL_JOBS))).items).to.have.length(1);
    });

    it('a transaction is not, not even one that only reads', async () => {
      let runs = 0;
      const working = rejectionOf(
        withDatabase((database) =>
          database.transaction(({ jobs }) => {
            runs += 1;
            return jobs.list(...ALL_JOBS);
          }),
        ),
      );
      expect(await lock.terminateWaiting()).to.equal(1);
      await lock.release();
      expect(await working).to.be.instanceOf(DatabaseConnectionError);
      expect(runs).to.equal(1);
      await withDatabase(({ jobs }) => jobs.insert(sampleJob()));
    });

    it('the connection is gone for the next request, whatever that is', async () => {
      const writing = rejectionOf(withDatabase(({ jobs }) => jobs.insert(sampleJob())));
      // The very next in line gets the place of the broken one.
      const next = writing.then(() => withDatabase(({ jobs }) => jobs.insert(sampleJob())));
      next.catch(() => undefined); // looked at below
      expect(await lock.terminateWaiting()).to.equal(1);
      await lock.release();
      expect(await next).not.to.equal(null);
    });
  });

  describe('all idle connections were ended', () => {
    /** Three idle connections. */
    beforeEach(async () => {
      const gate = new Gate();
      const { database, release } = await manager.acquire(ACME);
      const working = Array.from({ length: 3 }, () => database.transaction(() => gate.opened));
      await until('all are connected', () => manager.peek(ACME)?.open === 3);
      gate.open();
      await Promise.all(working);
      release();
      await until('all are idle', () => manager.peek(ACME)?.idle === 3);
    });

    it('and the next requests work, reads and writes alike', async () => {
      expect(await terminateBackends(deployment, deployment.databaseName('acme'))).to.equal(3);
      const written = await withDatabase(({ jobs }) =>
        Promise.all(Array.from({ length: 3 }, () => jobs.insert(sampleJob()))),
      );
      expect(written).to.have.length(3);
      expect((await withDatabase(({ jobs }) => jobs.list(...ALL_JOBS))).items).to.have.length(3);
    });

    it('and the pool and the budget forget them', async () => {
      await terminateBackends(deployment, deployment.databaseName('acme'));
      await until('the slots are back', () => manager.counts().connections === 0);
      expect(manager.peek(ACME)).to.deep.equal({ open: 0, idle: 0, inUse: 0, waiting: 0 });
    });

    it('the metadata connections as well', async () => {
      await terminateBackends(deployment, deployment.metadataDatabase);
      await manager.acquire(BETA).then(({ release }) => release());
    });
  });

  it('a login whose question for the stamp is not answered ends with the connect timeout, and the connection', async () => {
    const results = await startTcpProxy(deployment.environment['DB_DATABASE_URL'] ?? '');
    const container = deployment.start({
      ...throughProxies(deployment, { results }),
      DB_CONNECT_TIMEOUT_MS: '500',
    });
    const placement = await container.get(TOKENS.provisioning).provision(ACME);
    results.stallAt(READ_FACTS);
    const [from, open] = [performance.now(), results.open];
    try {
      expect(await rejectionOf(defaultServer(container).connect(placement, {}))).to.be.instanceOf(Error);
      expect(performance.now() - from).to.be.lessThan(5000);
      await results.resume();
      await until('it is closed', () => results.open === open);
    } finally {
      await deployment.stop();
      results.close();
    }
  });
});
