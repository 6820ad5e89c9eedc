import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { ConnectionPool } from '../../infrastructure/pools/connection-pool.ts';
import { DatabaseHealthCheck } from '../../infrastructure/routing/database-health.ts';
import type { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import { ControlConnection } from '../../infrastructure/servers/control-connection.ts';
import { replaceManager } from '../support/custom-manager.ts';
import { withOverrides } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { terminateBackends } from '../support/server-faults.ts';
import { defaultServer } from '../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { openConnection } from '../support/test-pool.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];
const SERVERS = { default: true };
const ALL_WELL = {
  metadata: true,
  servers: SERVERS,
  serverProblems: {},
  organizations: { acme: true, beta: true },
};
const ACME_IS_UNWELL = { ...ALL_WELL, organizations: { acme: false, beta: true } };

describe('the health of databases', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment({ DB_ORG_POOL_SIZE: '1', DB_ORG_MAX_OVERFLOW: '0' });
    await deployment.register(ACME, BETA);
  });
  afterEach(() => deployment.dispose());

  const open = async (settings: Readonly<Record<string, string>> = {}) => {
    const container = deployment.start(settings);
    const manager = container.get(TOKENS.connectionManager);
    for (const id of [ACME, BETA]) {
      const { database, release } = await manager.acquire(id);
      await database.jobs.list(...ALL_JOBS).finally(release);
    }
    return { container, manager, health: container.get(TOKENS.databaseHealth) };
  };

  /** Sessions of the organizations' pools, as the server sees them. */
  const sessions = async (): Promise<number> => {
    const rows = await deployment.administer(
      `select from pg_stat_activity where starts_with(datname, $1) and backend_type = 'client backend'`,
      [deployment.databaseName('')],
    );
    return rows.length;
  };

  describe('one-dead-tenant-keeps-ready-200', () => {
    it('a database that lets nobody in is reported, and nothing else', async () => {
      const { manager, health } = await open();
      expect(await health.check()).to.deep.equal(ALL_WELL);
      const name = deployment.databaseName('acme');
      await deployment.administer(`alter database "${name}" with allow_connections false`);
      await terminateBackends(deployment, name);
      expect(await health.check()).to.deep.equal(ACME_IS_UNWELL);
      const { database, release } = await manager.acquire(BETA);
      await database.jobs.list(...ALL_JOBS).finally(release);

      await deployment.administer(`alter database "${name}" with allow_connections true`);
      expect(await health.check(), 'and it comes back').to.deep.equal(ALL_WELL);
    });

    it('a database that is gone is reported', async () => {
      const { health } = await open();
      await deployment.administer(`drop database "${deployment.databaseName('acme')}" with (force)`);
      expect(await health.check()).to.deep.equal(ACME_IS_UNWELL);
    });

    it('a database that refuses the login is reported as long as it does', async () => {
      const container = deployment.start();
      const server = defaultServer(container);
      let refused = false;
      const manager = replaceManager(
        container,
        {},
        {
          connect: (placement, ...values) =>
            refused && placement.organizationId === ACME
              ? Promise.reject(new Error('Connection refused'))
              : server.connect(placement, ...values),
        },
      );
      const health = container.get(TOKENS.databaseHealth);
      refused = true;
      for (const id of [ACME, BETA]) {
        const { database, release } = await manager.acquire(id);
        const listing = database.jobs.list(...ALL_JOBS).finally(release);
        if (id === ACME) await rejectionOf(listing);
        else await listing;
      }
      expect(await health.check()).to.deep.equal(ACME_IS_UNWELL);
      refused = false;
      await until('it is well again', async () => (await health.check()).organizations[ACME] === true);
      expect(await health.check()).to.deep.equal(ALL_WELL);
    });
  });

  describe('saturated-pool-does-not-flap-ready', () => {
    it('with every connection in use and requests waiting, of organizations and of the metadata', async () => {
      const { container, manager, health } = await open({ DB_POOL_SIZE: '1', DB_MAX_OVERFLOW: '0' });
      const gate = new Gate();
      const lease = await manager.acquire(ACME);
      const busy = [
        lease.database.transaction(() => gate.opened),
        ...Array.from({ length: 5 }, () => lease.database.jobs.list(...ALL_JOBS)),
        container.get(TOKENS.metadataDatabase).transaction(() => gate.opened),
        container.get(TOKENS.databaseLedger).find(ACME),
      ];
      await until('all of it is saturated', () => {
        const metadata = manager.metadata.snapshot();
        return manager.peek(ACME)?.waiting === 5 && metadata.inUse === 1 && metadata.waiting === 1;
      });
      for (let i = 0; i < 5; i += 1) {
        const startedAt = performance.now();
        expect(await health.check()).to.deep.equal(ALL_WELL);
        expect(performance.now() - startedAt, 'it waits for nobody').to.be.lessThan(1000);
      }
      gate.open();
      await Promise.all(busy);
      lease.release();
    });

    it('nor when a connect failed before the budget was spent', async () => {
      const container = deployment.start({ DB_ACQUIRE_TIMEOUT_MS: '200', DB_CONNECTION_BUDGET: '2' });
      const server = defaultServer(container);
      let refused = false;
      const manager = replaceManager(
        container,
        { organizationPool: { size: 2, maxOverflow: 0 } },
        {
          connect: (...values) =>
            refused ? Promise.reject(new Error('Connection refused')) : server.connect(...values),
        },
      );
      const leases = [await manager.acquire(ACME), await manager.acquire(BETA)];
      const gates = [new Gate(), new Gate()];
      const occupy = async (index: number): Promise<void> =>
        leases[index]?.database.transaction(() => gates[index]?.pass() ?? Promise.resolve());
      const working = [occupy(0)];
      await gates[0]?.reached;
      refused = true;
      await rejectionOf(leases[0]?.database.jobs.list(...ALL_JOBS) ?? Promise.resolve());
      refused = false;
      working.push(occupy(1));
      await gates[1]?.reached;
      expect(manager.counts().connections).to.equal(2);
      expect(await container.get(TOKENS.databaseHealth).check()).to.deep.equal(ALL_WELL);
      for (const gate of gates) gate.open();
      await Promise.all(working);
      for (const { release } of leases) release();
    });
  });

  describe('health-sweep-does-not-wake-dormant-tenants', () => {
    it('an organization without a pool gets none, and one without connections none either', async () => {
      const { manager, health } = await open({ DB_IDLE_TIMEOUT_MS: '1' });
      // Connections go first, and the pool when they are gone.
      await until('both are dormant', () => {
        manager.sweep();
        return manager.counts().pools === 0 && manager.counts().connections === 0;
      });
      for (let i = 0; i < 3; i += 1)
        expect(await health.check()).to.deep.equal({
          metadata: true,
          servers: SERVERS,
          serverProblems: {},
          organizations: {},
        });
      expect(manager.counts()).to.include({ pools: 0, connections: 0 });
      expect(await sessions()).to.equal(0);
    });

    /** Live pools that have lost their connections. */
    const openAndCut = async () => {
      const opened = await open();
      const { manager } = opened;
      for (const id of [ACME, BETA]) await terminateBackends(deployment, deployment.databaseName(id));
      await until('no connection is left', () => manager.counts().connections === 0);
      expect(manager.counts().pools).to.equal(2);
      return opened;
    };

    it('a live pool is judged without a connection of its own', async () => {
      const { manager, health } = await openAndCut();
      expect(await health.check()).to.deep.equal(ALL_WELL);
      expect([manager.counts().connections, await sessions()]).to.deep.equal([0, 0]);
    });

    it('and expires under continuous health checks', async () => {
      const { manager, health } = await open({ DB_IDLE_TIMEOUT_MS: '50' });
      await until('the pools expire', async () => {
        await health.check();
        return manager.counts().pools === 0;
      });
      expect(manager.counts().removals.expire).to.equal(2);
    });

    it('is seen to fail with a check that asks through the pools', async () => {
      const { container, manager } = await openAndCut();
      const throughPool = (pool: ConnectionPool): ConnectionPool =>
        withOverrides(pool, {
          recovers: async () => {
            pool.release(await pool.acquire());
            return true;
          },
        });
      const careless = new DatabaseHealthCheck({
        manager: {
          *openPools() {
            for (const { placement, pool } of manager.openPools())
              yield { placement, pool: throughPool(pool) };
          },
        },
        servers: container.get(TOKENS.servers),
        metadataControl: container.get(TOKENS.metadataControl),
      });
      expect(await careless.check()).to.deep.equal(ALL_WELL);
      expect([manager.counts().connections, await sessions()]).to.deep.equal([2, 2]);
    });
  });

  describe('the probe of a server', () => {
    let database: TestDatabase;
    let gate: Gate;
    let opened: PgConnection[];
    let probe: ControlConnection;

    beforeEach(async () => {
      database = await createTestDatabase('probe');
      gate = new Gate();
      opened = [];
      probe = new ControlConnection(async () => {
        await gate.opened;
        const connection = await openConnection(database.url);
        opened.push(connection);
        return connection;
      });
    });
    afterEach(async () => {
      await Promise.all(opened.map((connection) => connection.close()));
      await database.drop();
    });
    const ask = (): Promise<readonly unknown[] | null> => probe.ask({ text: 'select 1 as one', values: [] });

    it('answers null within its deadline, and closes a connection that comes after its end', async () => {
      expect(await ask()).to.equal(null);
      const closing = probe.close();
      gate.open();
      await closing;
      expect(opened.map(({ isReusable }) => isReusable)).to.deep.equal([false]);
    });

    it('asks on a connection that took longer than a question may, and begins no other', async () => {
      expect([await ask(), await ask()]).to.deep.equal([null, null]);
      gate.open();
      await until('it is there', () => opened.length > 0);
      expect(await ask()).to.deep.equal([{ one: 1 }]);
      expect([opened.length, probe.sessions]).to.deep.equal([1, 1]);
      await probe.close();
    });
  });
});
