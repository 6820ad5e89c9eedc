import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { ConnectionBudget } from '../../infrastructure/pools/connection-budget.ts';
import type { ConnectionPool } from '../../infrastructure/pools/connection-pool.ts';
import type { PoolOptions } from '../../infrastructure/pools/pool-options.ts';
import { sampleConnections } from '../support/connection-samples.ts';
import { withOverrides } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, until } from '../support/gate.ts';
import { sampleJob } from '../support/sample-job.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { occupy, openConnection, read, on, testPool, type TestPool } from '../support/test-pool.ts';

/** How long a connection stays with its pool while others have none. */
const TIME_SLICE_MS = 100;
const LONGER_THAN_A_TIME_SLICE_MS = 150;

describe('the budget of connections', function () {
  this.timeout(60_000);

  describe('between pools', () => {
    let database: TestDatabase;
    let pools: ConnectionPool[];

    before(async () => {
      database = await createTestDatabase('budget');
    });
    after(() => database.drop());
    beforeEach(() => {
      pools = [];
    });
    afterEach(async () => {
      await Promise.all(pools.map((pool) => pool.close()));
      for (const pool of pools) expect(pool.slots.held, 'connections left open').to.equal(0);
    });

    const open = (overrides: Partial<PoolOptions>): TestPool => {
      const opened = testPool(database.url, { size: 4, maxOverflow: 4, ...overrides });
      pools.push(opened.pool);
      return opened;
    };

    /** Leaves `count` idle connections in a pool. */
    const warm = async (pool: ConnectionPool, count: number): Promise<void> => {
      const gates = Array.from({ length: count }, () => new Gate());
      const occupied = gates.map((gate) => occupy(pool, gate));
      await Promise.all(gates.map(({ reached }) => reached));
      for (const gate of gates) gate.open();
      await Promise.all(occupied);
      expect(pool.snapshot()).to.include({ open: count, idle: count });
    };

    /** One client that asks again as soon as it is answered, until it is told to stop. */
    const client = async (
      pool: ConnectionPool,
      stopped: () => boolean,
      question = read(),
    ): Promise<number> => {
      let answers = 0;
      while (!stopped()) {
        await on(pool).query(question);
        answers += 1;
      }
      return answers;
    };

    it('closes one idle connection for one that waits, of the pool that was used longest ago', async () => {
      const budget = new ConnectionBudget(6);
      const [{ pool: old }, { pool: recent }, { pool: newcomer }] = [
        open({ budget }),
        open({ budget }),
        open({ budget }),
      ];
      await warm(old, 3);
      await warm(recent, 3);
      const gates = [new Gate(), new Gate(), new Gate()];
      const occupied: Promise<void>[] = [];
      const idle: [number, number][] = [];
      for (const gate of gates) {
        occupied.push(occupy(newcomer, gate));
        await gate.reached;
        idle.push([old.snapshot().idle, recent.snapshot().idle]);
      }
      for (const gate of gates) gate.open();
      await Promise.all(occupied);
      expect(idle).to.deep.equal([
        [2, 3],
        [1, 3],
        [0, 3],
      ]);
    });

    it('gives a slot on only when the server has hung up', async () => {
      const budget = new ConnectionBudget(1);
      const hangUp = new Gate();
      const { pool: old } = open({
        budget,
        connect: async () => {
          const connection = await openConnection(database.url);
          return withOverrides(connection, { close: () => hangUp.pass().then(() => connection.close()) });
        },
      });
      await on(old).query(read());
      const newcomer = open({ budget });
      const answer = on(newcomer.pool).query(read());
      await hangUp.reached;
      await nextTurn();
      expect([newcomer.connects(), budget.taken]).to.deep.equal([0, 1]);
      hangUp.open();
      await answer;
      expect([newcomer.connects(), budget.taken]).to.deep.equal([1, 1]);
    });

    it('serves a newcomer while others are never idle', async () => {
      const budget = new ConnectionBudget(2);
      const busy = [open({ budget }), open({ budget })];
      let stopped = false;
      // Each has more clients than connections, so both always wait for a further one.
      const clients = busy.flatMap(({ pool }) =>
        Array.from({ length: 3 }, () => client(pool, () => stopped)),
      );
      await until('both are at it', () => budget.taken === 2);
      const newcomer = open({ budget, acquireTimeoutMs: 2000 });
      try {
        for (let i = 0; i < 3; i += 1) await on(newcomer.pool).query(read());
      } finally {
        stopped = true;
        await Promise.all(clients);
      }
    });

    it('lets a connection made for waiters serve them before it goes to another pool', async () => {
      const budget = new ConnectionBudget(3);
      const two = [open({ budget }), open({ budget })];
      let stopped = false;
      // Long enough that those who wait want a further connection.
      const slow = read('select pg_sleep(0.02)');
      const clients = two.flatMap(({ pool }) =>
        Array.from({ length: 4 }, () => client(pool, () => stopped, slow)),
      );
      const from = performance.now();
      await sleep(1000);
      stopped = true;
      const answers = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);
      const slices = (performance.now() - from) / TIME_SLICE_MS;
      const connects = two.reduce((sum, pool) => sum + pool.connects(), 0);
      // Two thirds of the connections never have to move, and the other one moves once a time slice at most.
      expect(connects, `of ${answers} answers`).to.be.at.most(3 + slices);
    });

    it('opens one connection a request when each is for another pool, however long a connect takes', async () => {
      const budget = new ConnectionBudget(2);
      let connects = 0;
      const many = Array.from({ length: 6 }, () =>
        open({
          budget,
          connect: async () => {
            connects += 1;
            await sleep(LONGER_THAN_A_TIME_SLICE_MS);
            return openConnection(database.url);
          },
        }),
      );
      await Promise.all(many.map(({ pool }) => on(pool).query(read())));
      expect(connects).to.equal(6);
    });
  });

  describe('between organizations', () => {
    let deployment: Deployment;
    const ids = Array.from({ length: 12 }, (_, index) => organizationId(`org${index}`));

    before(async () => {
      deployment = await createDeployment({
        DB_CONNECTION_BUDGET: '4',
        DB_ORG_POOL_SIZE: '2',
        DB_ORG_MAX_OVERFLOW: '2',
        DB_ACQUIRE_TIMEOUT_MS: '5000',
      });
      await deployment.register(...ids);
      const manager = deployment.start().get(TOKENS.connectionManager);
      await Promise.all(ids.map((id) => manager.provision(id)));
      await manager.closeAll();
    });
    after(() => deployment.dispose());

    it('is never exceeded, and nobody starves when there are more organizations than connections', async () => {
      const manager = deployment.start().get(TOKENS.connectionManager);
      const sampler = await sampleConnections(
        deployment.environment['DB_DATABASE_URL'] ?? '',
        deployment.databaseName(''),
      );
      const served = await Promise.all(
        ids.flatMap((id) =>
          Array.from({ length: 3 }, async () => {
            for (let i = 0; i < 5; i += 1) {
              const { database, release } = await manager.acquire(id);
              try {
                await database.transaction(({ jobs }) => jobs.insert(sampleJob({ submittedBy: id })));
                await database.jobs.list({ status: null }, { limit: 1, after: null });
              } finally {
                release();
              }
            }
            return id;
          }),
        ),
      );
      expect(served).to.have.length(36);
      expect(manager.counts().connections).to.be.at.most(4);
      const { most, samples } = await sampler.stop();
      expect(samples).to.be.greaterThan(20);
      expect(most).to.be.within(2, 4);
      await manager.closeAll();
    });

    it('is what keeps them within it: the same load without one is seen to exceed it', async () => {
      const manager = deployment.start({ DB_CONNECTION_BUDGET: '100' }).get(TOKENS.connectionManager);
      const sampler = await sampleConnections(
        deployment.environment['DB_DATABASE_URL'] ?? '',
        deployment.databaseName(''),
      );
      const gate = new Gate();
      const work = ids.map(async (id) => {
        const { database, release } = await manager.acquire(id);
        await database.transaction(() => gate.opened).finally(release);
      });
      await until('all are at it', () => manager.counts().connections === ids.length);
      await until('all have been seen', () => sampler.most() === ids.length);
      gate.open();
      await Promise.all(work);
      expect((await sampler.stop()).most).to.equal(ids.length);
    });
  });
});
