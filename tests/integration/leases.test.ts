import { expect } from 'chai';
import { KnexResultsDatabase } from '../../adapters/knex/results/knex-results-database.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { DatabaseError } from '../../domain/exceptions.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { DatabaseConnectionManager } from '../../infrastructure/routing/database-connection-manager.ts';
import { PooledDatabase } from '../../infrastructure/pools/pooled-database.ts';
import { LeaseReleasedError } from '../../infrastructure/pools/work-scope.ts';
import { replaceManager } from '../support/custom-manager.ts';
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
      DB_ACQUIRE_TIMEOUT_MS: '20000',
    });
    await deployment.register(ACME, BETA);
    manager = deployment.start().get(TOKENS.connectionManager);
  });
  afterEach(() => deployment.dispose());

  it('counts the statements that were sent, and the time with connections and without', async () => {
    const first = await manager.acquire(ACME);
    const second = await manager.acquire(ACME);
    try {
      await first.database.jobs.insert(sampleJob());
      const before = { ...first.cost };
      const gate = new Gate();
      const held = first.database.transaction(async ({ jobs }) => {
        await jobs.insert(sampleJob());
        await gate.pass();
      });
      await gate.reached;
      // The pool has one connection: this one waits for it.
      const waiting = second.database.jobs.list(...ALL_JOBS);
      await until('it waits', () => manager.peek(ACME)?.waiting === 1);
      gate.open();
      await Promise.all([held, waiting]);
      expect([before.queries, first.cost.queries, second.cost.queries]).to.deep.equal([1, 2, 1]);
      expect(before.dbMs).to.be.above(0);
      expect(first.cost.dbMs).to.be.above(before.dbMs);
      expect(second.cost.waitedMs)
        .to.be.above(0)
        .and.below(first.cost.dbMs + first.cost.waitedMs + 1000);
      expect(first.serverId).to.equal(DEFAULT_SERVER);
    } finally {
      first.release();
      second.release();
    }
  });

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
      const careless: DatabaseConnectionManager = replaceManager(
        deployment.start({ DB_MAX_POOLS: '2' }),
        {},
        {
          buildResultsDatabase: (_database, { organizationId: id }) => {
            for (const { placement, pool } of careless.openPools())
              if (placement.organizationId === id) return new KnexResultsDatabase(new PooledDatabase(pool));
            throw new Error('there is no pool');
          },
        },
      );
      const database = await keptHandle(careless);
      await database.jobs.insert(sampleJob());
      expect(await rowsOf(ACME)).to.equal(2);
    });
  });

  describe('evict-with-queued-acquires-serves-or-typed-error-never-60s-hang', () => {
    /** One request at work, and six that wait for its connection. */
    const queue = async (from: DatabaseConnectionManager) => {
      const gate = new Gate();
      const first = await from.acquire(ACME);
      const working = first.database.transaction(() => gate.pass()).finally(() => first.release());
      await gate.reached;
      const queued = Promise.allSettled(
        Array.from({ length: 6 }, async () => {
          const { database, release } = await from.acquire(ACME);
          return database.jobs.list(...ALL_JOBS).finally(release);
        }),
      );
      await until('they wait', () => from.peek(ACME)?.waiting === 6);
      return { gate, working, queued };
    };
    const nothingIsLeft = (of: DatabaseConnectionManager): Promise<void> =>
      until('nothing is left', () => of.counts().draining === 0 && of.counts().leases === 0);

    it('evict-with-queued-acquires-serves-or-typed-error-never-60s-hang: serves, as long as they hold the pool', async () => {
      const { gate, working, queued } = await queue(manager);
      (await manager.acquire(BETA)).release();
      expect(manager.peek(ACME)?.waiting).to.equal(6);
      gate.open();
      await working;
      expect((await queued).map(({ status }) => status)).to.deep.equal(Array(6).fill('fulfilled'));
      await nothingIsLeft(manager);
    });

    it('evict-with-queued-acquires-serves-or-typed-error-never-60s-hang: an error at once, when it is taken from them', async () => {
      const own = deployment
        .start({ DB_LEASE_TIMEOUT_MS: '1', DB_ACQUIRE_TIMEOUT_MS: '120000' })
        .get(TOKENS.connectionManager);
      const { gate, working, queued } = await queue(own);
      await until('their time is over', () => {
        own.sweep();
        return own.counts().leases === 0;
      });
      expect(own.peek(ACME)?.waiting).to.equal(6);
      (await own.acquire(BETA)).release();
      expect([own.peek(ACME), own.counts().removals.evict]).to.deep.equal([null, 1]);
      for (const outcome of await queued) {
        expect(outcome.status === 'rejected' && outcome.reason).to.be.instanceOf(DatabaseError);
      }
      // What runs already ends in peace.
      gate.open();
      await working;
      await nothingIsLeft(own);
    });
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
      const gate = new Gate();
      const working = lease.database.transaction(async ({ jobs }) => {
        await jobs.insert(sampleJob());
        await gate.pass();
      });
      await gate.reached;
      lease.release();
      gate.open();
      await working;
      expect(await rejectionOf(lease.database.jobs.list(...ALL_JOBS))).to.be.instanceOf(LeaseReleasedError);
      const next = await manager.acquire(ACME);
      expect((await next.database.jobs.list(...ALL_JOBS)).items, 'it was committed').to.have.length(1);
      next.release();
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
