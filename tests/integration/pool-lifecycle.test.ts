import { expect } from 'chai';
import { DEFAULT_SERVER } from '../../domain/databases/server.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { KnexResultsDatabase } from '../../adapters/knex/results/knex-results-database.ts';
import type { ResultsLease } from '../../application/ports/databases/organization-databases.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { ConnectionPool } from '../../infrastructure/pools/connection-pool.ts';
import type { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import { captureLog } from '../support/captured-log.ts';
import { replaceManager } from '../support/custom-manager.ts';
import { withOverrides } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { hookProvisioning } from '../support/provisioning-steps.ts';
import { ALL_JOBS, sampleJob } from '../support/sample-job.ts';
import { defaultServer } from '../support/servers.ts';
import { on, testBreaker } from '../support/test-pool.ts';

const [ACME, BETA, GAMMA] = [organizationId('acme'), organizationId('beta'), organizationId('gamma')];

describe('the pools of organizations', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment({ DB_ORG_POOL_SIZE: '1', DB_ORG_MAX_OVERFLOW: '3' });
    await deployment.register(ACME, BETA, GAMMA);
  });
  afterEach(() => deployment.dispose());

  it('are the same for the same organization, each request with a handle of its own', async () => {
    const manager = deployment.start().get(TOKENS.connectionManager);
    const leases = await Promise.all([manager.acquire(ACME), manager.acquire(ACME), manager.acquire(BETA)]);
    for (const { database } of leases) await database.jobs.list(...ALL_JOBS);
    expect(manager.counts()).to.include({ pools: 2, leases: 3, connections: 2 });
    for (const { release } of leases) release();
    const later = await manager.acquire(ACME);
    await later.database.jobs.list(...ALL_JOBS);
    later.release();
    later.release();
    expect(manager.counts()).to.include({ pools: 2, leases: 0, connections: 2 });
  });

  describe('evict-while-query-in-flight-completes', () => {
    /** Work under way on a pool whose lease is back already, as after a client that hung up. */
    const evictUnderWork = async (manager: {
      acquire(id: OrganizationId): Promise<ResultsLease>;
    }): Promise<unknown> => {
      const gate = new Gate();
      const { database, release } = await manager.acquire(ACME);
      const working = database.transaction(async ({ jobs }) => {
        await jobs.insert(sampleJob());
        await gate.pass();
        return (await jobs.list(...ALL_JOBS)).items.length;
      });
      working.catch(() => undefined); // looked at below
      await gate.reached;
      release();
      const other = await manager.acquire(BETA);
      other.release();
      gate.open();
      return working;
    };

    it('after the lease is back', async () => {
      const manager = deployment.start({ DB_MAX_POOLS: '1' }).get(TOKENS.connectionManager);
      expect(await evictUnderWork(manager)).to.equal(1);
      expect(manager.counts().removals.evict).to.equal(1);
      expect(manager.peek(ACME)).to.equal(null);
      const { database, release } = await manager.acquire(ACME);
      expect((await database.jobs.list(...ALL_JOBS)).items, 'it was committed').to.have.length(1);
      release();
    });

    it('is seen to fail where eviction cuts connections', async () => {
      const container = deployment.start({ DB_MAX_POOLS: '1' });
      const server = defaultServer(container);
      const opened: PgConnection[] = [];
      const budget = withOverrides(server.budget, {
        // A pool that is closed takes its leave.
        leave: (pool) => {
          for (const connection of opened) void connection.close();
          server.budget.leave(pool);
        },
      });
      const manager = replaceManager(
        container,
        {},
        {
          budget,
          connect: async (...values) => {
            const connection = await server.connect(...values);
            opened.push(connection);
            return connection;
          },
        },
      );
      const error = await rejectionOf(evictUnderWork(manager));
      expect(error).to.be.instanceOf(DatabaseConnectionError);
    });

    it('and a leased pool is not evicted at all', async () => {
      const manager = deployment.start({ DB_MAX_POOLS: '1' }).get(TOKENS.connectionManager);
      const held = await manager.acquire(ACME);
      for (const id of [BETA, GAMMA, BETA]) (await manager.acquire(id)).release();
      expect(manager.peek(ACME)).not.to.equal(null);
      await held.database.jobs.insert(sampleJob());
      held.release();
      (await manager.acquire(GAMMA)).release();
      expect(manager.peek(ACME)).to.equal(null);
      expect(manager.counts()).to.include({ pools: 1, draining: 0 });
    });
  });

  describe('acquire-races-destroy', () => {
    const ids = [ACME, BETA, GAMMA];

    /** Many short requests of several organizations; returns what went wrong. */
    const race = async (
      acquire: (id: OrganizationId) => Promise<ResultsLease>,
    ): Promise<readonly unknown[]> => {
      const errors: unknown[] = [];
      const request = async (id: OrganizationId): Promise<void> => {
        try {
          const { database, release } = await acquire(id);
          await database.jobs.list({ status: null }, { limit: 1, after: null }).finally(release);
        } catch (error) {
          errors.push(error);
        }
      };
      // Fewer clients than organizations, each going round: there is always a pool to evict.
      const clients = [0, 1].map(async (start) => {
        for (let i = 0; i < 60; i += 1) await request(ids[(start + i) % ids.length] ?? ACME);
      });
      await Promise.all(clients);
      return errors;
    };

    it('gives every request a pool that works, while pools are evicted and expire all the time', async () => {
      const manager = deployment
        .start({ DB_MAX_POOLS: '1', DB_IDLE_TIMEOUT_MS: '1' })
        .get(TOKENS.connectionManager);
      for (const id of ids) await manager.provision(id);
      expect(await race((id) => manager.acquire(id))).to.be.empty;
      expect(manager.counts().removals.evict).to.be.greaterThan(10);
      await until('drained pools are closed', () => manager.counts().draining === 0);
    });

    it('is seen to fail with a cache that closes what it evicts without asking who uses it', async () => {
      const container = deployment.start();
      const server = defaultServer(container);
      const { provision } = container.get(TOKENS.provisioning);
      const closed: Promise<void>[] = [];
      const cache = new Map<string, Promise<ConnectionPool>>();
      const open = async (id: OrganizationId): Promise<ConnectionPool> => {
        const placement = await provision(id);
        return new ConnectionPool({
          databaseName: placement.databaseName,
          connect: () => server.connect(placement, {}),
          size: 1,
          maxOverflow: 3,
          acquireTimeoutMs: 2000,
          maxWaiting: Infinity,
          noPlaceError: () => new Error('too late'),
          budget: server.budget,
          serverBreaker: testBreaker(),
        });
      };
      const acquire = async (id: OrganizationId): Promise<ResultsLease> => {
        const opening = cache.get(id) ?? open(id);
        cache.set(id, opening);
        const pool = await opening;
        for (const [key, other] of cache) {
          if (key === id) continue;
          cache.delete(key);
          closed.push(other.then((evicted) => evicted.close()));
        }
        return {
          database: new KnexResultsDatabase(on(pool)),
          serverId: DEFAULT_SERVER,
          cost: { queries: 0, dbMs: 0, waitedMs: 0 },
          release: () => undefined,
        };
      };
      expect(await race(acquire)).not.to.be.empty;
      for (const rest of cache.values()) closed.push(rest.then((pool) => pool.close()));
      await Promise.all(closed);
    });

    it('opens a new pool beside one that is still on its way out', async () => {
      const manager = deployment.start({ DB_MAX_POOLS: '1' }).get(TOKENS.connectionManager);
      const gate = new Gate();
      const first = await manager.acquire(ACME);
      const working = first.database.transaction(() => gate.pass());
      await gate.reached;
      first.release();
      (await manager.acquire(BETA)).release();
      const second = await manager.acquire(ACME);
      expect(second.database).not.to.equal(first.database);
      await second.database.jobs.insert(sampleJob());
      second.release();
      gate.open();
      await working;
      const late = await rejectionOf(first.database.jobs.list(...ALL_JOBS));
      expect(late, 'the handle of the old pool').to.be.instanceOf(DatabaseConnectionError);
    });
  });

  describe('shutdown-during-cold-open-does-not-resurrect-pool', () => {
    const sessions = async (): Promise<number> => {
      const rows = await deployment.administer(
        `select from pg_stat_activity
         where (starts_with(datname, $1) or datname = $2) and application_name <> 'test'
           and backend_type = 'client backend'`,
        [deployment.databaseName(''), deployment.metadataDatabase],
      );
      return rows.length;
    };

    it('when the opening outlives the deadline', async () => {
      const container = deployment.start();
      const gate = new Gate();
      hookProvisioning(container, async (step, proceed) => {
        if (step === 'complete') await gate.pass();
        await proceed();
      });
      const manager = replaceManager(container, { drainTimeoutMs: 20 });
      const acquiring = Promise.all([rejectionOf(manager.acquire(ACME)), rejectionOf(manager.acquire(ACME))]);
      await gate.reached;
      const closing = manager.closeAll();
      await until('the deadline has passed', () => {
        const { pools, draining } = manager.counts();
        return pools === 0 && draining === 0;
      });
      gate.open();
      for (const error of await acquiring) expect(error).to.be.instanceOf(DatabaseConnectionError);
      await closing;
      expect(manager.counts()).to.include({ pools: 0, draining: 0, leases: 0, connections: 0 });
      expect(await rejectionOf(manager.acquire(ACME))).to.be.instanceOf(DatabaseConnectionError);
      await until('the server has no session of it', async () => (await sessions()) === 0);
    });

    it('when the opening ends in time it is served, and closed afterwards', async () => {
      const container = deployment.start();
      const gate = new Gate();
      hookProvisioning(container, async (step, proceed) => {
        if (step === 'complete') await gate.pass();
        await proceed();
      });
      const manager = container.get(TOKENS.connectionManager);
      const acquiring = manager.acquire(ACME);
      await gate.reached;
      const closing = manager.closeAll();
      expect(await rejectionOf(manager.acquire(BETA))).to.be.instanceOf(DatabaseConnectionError);
      gate.open();
      const { database, release } = await acquiring;
      await database.jobs.insert(sampleJob());
      release();
      await closing;
      expect(manager.counts()).to.include({ pools: 0, draining: 0, leases: 0, connections: 0 });
      await until('the server has no session of it', async () => (await sessions()) === 0);
    });
  });

  it('that outlive a stop keep their part of the budget until they are gone', async () => {
    const shares = () =>
      deployment.administer<{ share: number }>(
        'select share from service_instances',
        [],
        deployment.metadataDatabase,
      );
    const container = deployment.start();
    await container.get(TOKENS.servers).start();
    const manager = replaceManager(container, { drainTimeoutMs: 20 });
    const gate = new Gate();
    const { database, release } = await manager.acquire(ACME);
    const working = database.transaction(() => gate.pass());
    await gate.reached;
    await manager.closeAll();
    expect(await shares()).to.deep.equal([{ share: 1 }]);
    gate.open();
    await working;
    release();

    const other = deployment.start();
    await other.get(TOKENS.servers).start();
    const whole = other.get(TOKENS.config).database.servers[0].connectionBudget;
    await until('it goes to the others', () => defaultServer(other).budget.limit === whole);
    await other.get(TOKENS.connectionManager).closeAll();
    expect(await shares()).to.deep.equal([]);
  });

  describe('leaked-lease-hits-deadline-and-is-reported', () => {
    it('once, and no longer keeps its pool', async () => {
      const container = deployment.start({ DB_LEASE_TIMEOUT_MS: '1', DB_MAX_POOLS: '1' });
      const log = captureLog(container);
      const manager = container.get(TOKENS.connectionManager);
      const leaked = await manager.acquire(ACME);
      await until('its time is over', () => {
        manager.sweep();
        return manager.counts().leases === 0;
      });
      manager.sweep();
      expect(manager.counts().leaks).to.equal(1);
      const reports = log.filter(({ level }) => level === 'error');
      expect(reports.map(({ message }) => message)).to.deep.equal(['a lease was never released']);
      expect(reports[0]?.fields).to.include({ org_id: 'acme' });

      const held = await manager.acquire(ACME);
      leaked.release();
      expect(manager.counts().leases, 'a late release takes nothing from others').to.equal(1);
      held.release();
      (await manager.acquire(BETA)).release();
      expect(manager.peek(ACME)).to.equal(null);
    });

    it('but not one that is within its time', async () => {
      const container = deployment.start();
      const log = captureLog(container);
      const manager = container.get(TOKENS.connectionManager);
      const { release } = await manager.acquire(ACME);
      manager.sweep();
      expect(manager.counts()).to.include({ leases: 1, leaks: 0 });
      expect(log.filter(({ level }) => level === 'error')).to.be.empty;
      release();
    });
  });
});
