import { expect } from 'chai';
import type { ResultsDatabase } from '../../application/ports/results-database.ts';
import { DatabaseError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { DatabaseConnectionManager } from '../../infrastructure/database/database-connection-manager.ts';
import { LeaseReleasedError, WorkScope } from '../../infrastructure/database/work-scope.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { lockTable, terminateBackends } from '../support/server-faults.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];

describe('a lease', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let manager: DatabaseConnectionManager;

  beforeEach(async () => {
    deployment = await createDeployment({
      DB_ORG_POOL_SIZE: '1',
      DB_ORG_MAX_OVERFLOW: '0',
      DB_MAX_POOLS: '1',
      DB_ACQUIRE_TIMEOUT_MS: '1000',
    });
    await deployment.register(ACME, BETA);
    manager = deployment.start().get(TOKENS.connectionManager);
  });
  afterEach(() => deployment.dispose());

  describe('handle-kept-after-eviction-never-hits-another-database', () => {
    /** Every way in which a handle reaches its database. */
    const uses = (database: ResultsDatabase): (() => Promise<unknown>)[] => [
      () => database.jobs.list(...ALL_JOBS),
      () => database.jobs.insert(sampleJob()),
      () => database.transaction(({ jobs }) => jobs.insert(sampleJob())),
    ];
    const rowsOf = async (id: typeof ACME): Promise<number> => {
      const [row] = await deployment.administer<{ jobs: number }>(
        'select count(*)::int as jobs from docking_jobs',
        [],
        deployment.databaseName(id),
      );
      return row?.jobs ?? -1;
    };
    /** Keeps a handle of acme's while beta takes its place, then acme is served again, by a new pool. */
    const keptHandle = async (from: DatabaseConnectionManager): Promise<ResultsDatabase> => {
      const kept = await from.acquire(ACME);
      await kept.database.jobs.insert(sampleJob());
      kept.release();
      const other = await from.acquire(BETA);
      await other.database.jobs.insert(sampleJob());
      other.release();
      const again = await from.acquire(ACME);
      await again.database.jobs.list(...ALL_JOBS);
      again.release();
      return kept.database;
    };

    it('handle-kept-after-eviction-never-hits-another-database: nor its own', async () => {
      const database = await keptHandle(manager);
      for (const use of uses(database)) expect(await rejectionOf(use())).to.be.instanceOf(LeaseReleasedError);
      expect([await rowsOf(ACME), await rowsOf(BETA)]).to.deep.equal([1, 1]);
    });

    it('handle-kept-after-eviction-never-hits-another-database: is seen to fail with handles that outlive their lease', async () => {
      const { end } = WorkScope.prototype;
      WorkScope.prototype.end = () => undefined;
      try {
        const database = await keptHandle(
          deployment.start({ DB_MAX_POOLS: '2' }).get(TOKENS.connectionManager),
        );
        await database.jobs.insert(sampleJob());
        expect(await rowsOf(ACME)).to.equal(2);
      } finally {
        WorkScope.prototype.end = end;
      }
    });
  });

  it('evict-with-queued-acquires-serves-or-typed-error-never-60s-hang', async () => {
    const gate = new Gate();
    const first = await manager.acquire(ACME);
    const working = first.database.transaction(() => gate.pass());
    await gate.reached;
    const queued = Array.from({ length: 6 }, async () => {
      const { database, release } = await manager.acquire(ACME);
      return database.jobs.list(...ALL_JOBS).finally(release);
    });
    await until('they wait', () => manager.peek(ACME)?.waiting === 6);
    // The pool is taken out while they wait: by capacity, as soon as nobody holds it, and by an operator, at once.
    const evictions = manager.acquire(BETA).then(({ release }) => release());
    setTimeout(() => gate.open(), 300);
    await working;
    first.release();
    await evictions;
    const outcomes = await Promise.allSettled(queued);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).to.be.instanceOf(DatabaseError);
    }
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(6);
    await until('nothing is left', () => manager.counts().draining === 0 && manager.counts().leases === 0);
  });

  describe('that ends early', () => {
    it('gives up its place in the line', async () => {
      const gate = new Gate();
      const holder = await manager.acquire(ACME);
      const working = holder.database.transaction(() => gate.pass());
      await gate.reached;
      const impatient = await manager.acquire(ACME);
      const waiting = rejectionOf(impatient.database.jobs.list(...ALL_JOBS));
      await until('it waits', () => manager.peek(ACME)?.waiting === 1);
      impatient.release();
      expect(await waiting).to.be.instanceOf(LeaseReleasedError);
      expect(manager.peek(ACME)?.waiting).to.equal(0);
      gate.open();
      await working;
      holder.release();
    });

    it('has its statement cancelled at the server, and the place goes to the next', async () => {
      const lease = await manager.acquire(ACME);
      await lease.database.jobs.insert(sampleJob());
      const lock = await lockTable(deployment, deployment.databaseName(ACME), 'docking_jobs');
      const statement = rejectionOf(lease.database.jobs.insert(sampleJob()));
      const sessions = () =>
        deployment.administer<{ pid: number }>(
          `select pid from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
          [deployment.databaseName(ACME)],
        );
      await until('it waits for the lock', async () => (await sessions()).length === 1);
      lease.release();
      expect(await statement).to.be.instanceOf(DatabaseError);
      await until('the server has given it up', async () => (await sessions()).length === 0);
      await until('its connection is closed', () => manager.counts().connections === 0);
      await lock.release();
      const next = await manager.acquire(ACME);
      expect((await next.database.jobs.list(...ALL_JOBS)).items, 'nothing was written').to.have.length(1);
      next.release();
    });

    it('but whose work is over in a moment loses nothing', async () => {
      const lease = await manager.acquire(ACME);
      const written = lease.database.transaction(({ jobs }) => jobs.insert(sampleJob()));
      const last = lease.database;
      lease.release();
      await written.catch(() => undefined);
      expect(await rejectionOf(last.jobs.list(...ALL_JOBS))).to.be.instanceOf(LeaseReleasedError);
    });
  });

  it('whose idle connections all broke at once gets a new one', async () => {
    const wide = deployment.start({ DB_ORG_POOL_SIZE: '5' }).get(TOKENS.connectionManager);
    const { database, release } = await wide.acquire(ACME);
    await Promise.all(
      Array.from({ length: 5 }, () => database.transaction(({ jobs }) => jobs.list(...ALL_JOBS))),
    );
    await terminateBackends(deployment, deployment.databaseName(ACME));
    expect((await database.jobs.list(...ALL_JOBS)).items).to.be.empty;
    release();
  });
});
