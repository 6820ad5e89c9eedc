import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Container } from 'inversify';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { ConnectionBudgetExhaustedError } from '../../domain/databases/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { KnexInstanceLedger } from '../../adapters/knex/metadata/knex-instance-ledger.ts';
import { CircuitBreaker } from '../../infrastructure/pools/circuit-breaker.ts';
import type {
  DatabaseConnectionManager,
  RoutedServer,
} from '../../infrastructure/routing/database-connection-manager.ts';
import { ConnectionShare, type ConnectionShareDeps } from '../../infrastructure/servers/connection-share.ts';
import { isServerFull } from '../../infrastructure/postgres/postgres-errors.ts';
import { ControlConnection } from '../../infrastructure/servers/control-connection.ts';
import type { ResultsServer } from '../../infrastructure/servers/results-server.ts';
import { replaceManager } from '../support/custom-manager.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, rejectionOf, until } from '../support/gate.ts';
import { ALL_JOBS } from '../support/sample-job.ts';
import { defaultServer, overrideServers } from '../support/servers.ts';
import { limitedLogin, terminateBackends } from '../support/server-faults.ts';
import { startTcpProxy, throughProxies, type TcpProxy } from '../support/tcp-proxy.ts';

const IDS = Array.from({ length: 8 }, (_, index) => organizationId(`org-${index}`));
const [ACME, BETA] = [organizationId('org-0'), organizationId('org-1')];
const UNSEEN = IDS.slice(2);

/** Several back-offs of a server's circuit. */
const OUTAGE_MS = 6000;

describe('databases and servers that fail', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let results: TcpProxy;
  let metadata: TcpProxy;

  beforeEach(async () => {
    deployment = await createDeployment({ DB_ACQUIRE_TIMEOUT_MS: '4000', DB_CONNECT_TIMEOUT_MS: '1000' });
    await deployment.register(...IDS);
    const manager = deployment.start().get(TOKENS.connectionManager);
    for (const id of IDS) await manager.provision(id);
    await manager.closeAll();
    const url = deployment.environment['DB_DATABASE_URL'] ?? '';
    [results, metadata] = [await startTcpProxy(url), await startTcpProxy(url)];
  });
  afterEach(async () => {
    await Promise.all([results.resume(), metadata.resume()]);
    await deployment.dispose();
    results.close();
    metadata.close();
  });

  /** As a started service: with its probes at work. */
  const start = async (): Promise<Container> => {
    const container = deployment.start(throughProxies(deployment, { results, metadata }));
    await container.get(TOKENS.servers).start();
    return container;
  };
  const read = async (manager: DatabaseConnectionManager, id: OrganizationId): Promise<number> => {
    const { database, release } = await manager.acquire(id);
    try {
      return (await database.jobs.list(...ALL_JOBS)).items.length;
    } finally {
      release();
    }
  };
  const works = (manager: DatabaseConnectionManager, id: OrganizationId) => (): Promise<boolean> =>
    read(manager, id).then(
      () => true,
      () => false,
    );
  /** How long the refusal took, in milliseconds. */
  const refusal = async (work: () => Promise<unknown>): Promise<{ error: unknown; tookMs: number }> => {
    const from = performance.now();
    const error = await rejectionOf(work());
    return { error, tookMs: performance.now() - from };
  };

  describe('server-down-breaker-opens-half-opens-closes', () => {
    for (const fault of ['refuse', 'stall'] as const) {
      it(`server-down-breaker-opens-half-opens-closes: ${fault}`, async () => {
        const container = deployment.start(throughProxies(deployment, { results, metadata }));
        // With a back-off that outlasts the test: the probe closes it, and nobody else tries.
        const breaker = new CircuitBreaker({ threshold: 2, minDelayMs: 60_000, maxDelayMs: 60_000 });
        overrideServers(container, (server) => {
          const share = new ConnectionShare({ ...shareDeps(container, server), serverBreaker: breaker });
          const close = () => Promise.all([share.close(), server.close()]).then(() => undefined);
          return { breaker, share, start: () => share.start(), close };
        });
        const server = defaultServer(container);
        let connects = 0;
        const manager = replaceManager(
          container,
          {},
          {
            connect: (...values) => {
              connects += 1;
              return server.connect(...values);
            },
          },
        );
        await container.get(TOKENS.servers).start();
        await read(manager, ACME);
        expect(breaker.state).to.equal('closed');

        results[fault]();
        if (fault === 'refuse') results.reset();
        await until('the circuit is open', () => breaker.state === 'open');
        // Organizations that were never asked for and such with a pool fare alike: refused at once, without a connect.
        const before = connects;
        for (const id of [ACME, BETA, ACME, BETA]) {
          const error = await rejectionOf(read(manager, id));
          expect(error).to.be.instanceOf(DatabaseConnectionError);
          expect(error).to.have.property('retryAfterMs').that.is.greaterThan(0);
        }
        expect(connects).to.equal(before);

        await results.resume();
        await until('it serves again', works(manager, ACME));
        await until('all are served', works(manager, BETA));
        expect(breaker.state).to.equal('closed');
      });
    }

    it('one failing database opens its own circuit, and nobody else notices', async () => {
      const container = await start();
      const manager = container.get(TOKENS.connectionManager);
      await Promise.all([read(manager, ACME), read(manager, BETA)]);
      const name = deployment.databaseName(ACME);
      await deployment.administer(`alter database "${name}" with allow_connections false`);
      await terminateBackends(deployment, name);
      for (let attempt = 0; attempt < 4; attempt += 1) await rejectionOf(read(manager, ACME));
      const before = results.connects;
      const refusals = await Promise.all(Array.from({ length: 50 }, () => rejectionOf(read(manager, ACME))));
      for (const error of refusals) {
        expect(error).to.be.instanceOf(DatabaseConnectionError);
        expect(error).to.have.property('retryAfterMs').that.is.a('number');
      }
      expect(results.connects - before, 'tries, half-open').to.be.at.most(3);
      expect(defaultServer(container).breaker.state).to.equal('closed');
      expect(await read(manager, BETA)).to.equal(0);

      await deployment.administer(`alter database "${name}" with allow_connections true`);
      await until('it is served again', works(manager, ACME));
    });
  });

  it('momentary-blip-keeps-pool', async () => {
    const manager = (await start()).get(TOKENS.connectionManager);
    await Promise.all([ACME, ACME, BETA].map((id) => read(manager, id)));
    const { removals } = manager.counts();
    const before = { ...removals };
    expect(results.reset()).to.be.greaterThan(2);
    // A read is sent again by itself; whatever is cut, the next request finds the pool in place.
    for (let i = 0; i < 20; i += 1)
      for (const id of [ACME, BETA]) expect(await read(manager, id)).to.equal(0);
    expect(manager.counts().removals).to.deep.equal(before);
    expect(manager.counts().pools).to.equal(2);
  });

  describe('metadata-down-cached-tenants-serve-others-fail-in-100ms', () => {
    for (const fault of ['refuse', 'stall'] as const) {
      it(`metadata-down-cached-tenants-serve-others-fail-in-100ms: ${fault}`, async () => {
        const container = await start();
        const manager = container.get(TOKENS.connectionManager);
        await Promise.all([read(manager, ACME), read(manager, BETA)]);
        metadata[fault]();
        if (fault === 'refuse') metadata.reset();
        const breaker = container.get(TOKENS.metadataBreaker);
        await until('its absence is noticed', () => breaker.state === 'open' && breaker.retryInMs > 150);

        // For as long as takes it through several back-offs, with the server tried again after each.
        const openFor = performance.now() + OUTAGE_MS;
        const took: number[] = [];
        for (let turn = 0; performance.now() < openFor; turn += 1) {
          for (const id of [ACME, BETA]) expect(await read(manager, id)).to.equal(0);
          const { error, tookMs } = await refusal(() => read(manager, UNSEEN[turn % UNSEEN.length] ?? ACME));
          expect(error).to.be.instanceOf(DatabaseConnectionError);
          took.push(tookMs);
          await sleep(20);
        }
        // The one bound in time that is the behaviour itself; a busy machine may be late now and then.
        const slow = took.filter((tookMs) => tookMs > 100);
        expect(slow.length, slow.join(', ')).to.be.at.most(took.length / 10);
        expect(Math.max(...took), 'shorter than the wait for a silent server').to.be.lessThan(900);

        await metadata.resume();
        await until('all are served', works(manager, UNSEEN[0] ?? ACME));
      });
    }
  });

  it('a backend that stands still costs its own request a deadline, and nobody else anything', async function () {
    const container = deployment.start({ DB_STATEMENT_TIMEOUT_MS: '2000', DB_ORG_POOL_SIZE: '1' });
    const manager = container.get(TOKENS.connectionManager);
    await Promise.all([read(manager, ACME), read(manager, BETA)]);
    const [backend] = await deployment.administer<{ pid: number }>(
      `select pid from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
      [deployment.databaseName(ACME)],
    );
    const pid = backend?.pid ?? 0;
    // The server may run on another machine, or as somebody whom we may not stop.
    if (process.platform !== 'linux' || !isOurs(pid)) this.skip();
    process.kill(pid, 'SIGSTOP');
    try {
      const standing = read(manager, ACME);
      for (let i = 0; i < 20; i += 1) expect(await read(manager, BETA)).to.equal(0);
      expect(await standing, 'sent again on another connection').to.equal(0);
      expect(manager.counts().pools).to.equal(2);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('slow-connect-of-A-does-not-delay-B', async () => {
    const container = await start();
    const gate = new Gate();
    const server = defaultServer(container);
    const manager = replaceManager(
      container,
      {},
      {
        connect: async (placement, ...values) => {
          if (placement.organizationId === ACME) await gate.pass();
          return server.connect(placement, ...values);
        },
      },
    );
    const slow = Promise.all(Array.from({ length: 30 }, () => read(manager, ACME)));
    await gate.reached;
    for (const id of IDS.slice(1)) expect(await read(manager, id)).to.equal(0);
    expect(defaultServer(container).breaker.state).to.equal('closed');
    gate.open();
    expect(await slow).to.have.length(30);
  });

  it('a server without a place, for the probe either, is not held for dead', async () => {
    const container = deployment.start();
    const limited = await limitedLogin(deployment, 1);
    const probe = new ControlConnection(() => limited.connect('postgres'));
    const touchy = { threshold: 1, minDelayMs: 60_000, maxDelayMs: 60_000 };
    const [resultsBreaker, metadataBreaker] = [new CircuitBreaker(touchy), new CircuitBreaker(touchy)];
    const share = new ConnectionShare({
      ...shareDeps(container, defaultServer(container)),
      serverBudget: 1,
      control: probe,
      serverBreaker: resultsBreaker,
      metadataBreaker,
    });
    const others = await limited.occupyAll();
    await share.heartbeat();
    expect([resultsBreaker.state, metadataBreaker.state]).to.deep.equal(['closed', 'closed']);
    await others.release();
    await probe.close();
  });

  it("a database's own limit is not the server's, whatever the database is called", async () => {
    const name = deployment.databaseName(ACME);
    const limited = await limitedLogin(deployment, 1);
    const others = await limited.occupyAll();
    expect(isServerFull(await rejectionOf(limited.connect(name)))).to.equal(true);
    await others.release();
    await deployment.administer(`alter database "${name}" connection limit 0`);
    expect(isServerFull(await rejectionOf(limited.connect(name)))).to.equal(false);
  });

  it('too-many-clients-53300-backs-off-without-storm', async () => {
    const container = deployment.start({ DB_ACQUIRE_TIMEOUT_MS: '20000' });
    const limited = await limitedLogin(deployment, 3);
    let [attempts, refused] = [0, 0];
    const manager = replaceManager(
      container,
      {},
      {
        connect: async (placement) => {
          attempts += 1;
          try {
            return await limited.connect(placement.databaseName);
          } catch (error) {
            refused += 1;
            throw error;
          }
        },
      },
    );
    // Eight organizations, three connections: all are served, as connections move.
    const answers = await Promise.all(
      IDS.flatMap((id) => Array.from({ length: 5 }, () => read(manager, id))),
    );
    expect(answers).to.have.length(40);
    expect(refused, 'the server was full').to.be.greaterThan(0);

    // None at all: whoever waits goes on waiting, and the server is asked now and then.
    await manager.closeAll();
    const others = await limited.occupyAll();
    const withPatience = (
      acquireTimeoutMs: number,
      connect: RoutedServer['connect'],
    ): DatabaseConnectionManager =>
      replaceManager(
        deployment.start(),
        { acquireTimeoutMs },
        {
          connect: (...args) => {
            attempts += 1;
            return connect(...args);
          },
        },
      );
    // Refusals come at once: an attempt that is under way at the deadline would be another error.
    const serverFull = await rejectionOf(limited.connect('postgres'));
    expect(isServerFull(serverFull)).to.equal(true);
    const full = withPatience(1500, () => Promise.reject(serverFull));
    attempts = 0;
    const errors = await Promise.all(IDS.map((id) => rejectionOf(read(full, id))));
    for (const error of errors) expect(error).to.be.instanceOf(ConnectionBudgetExhaustedError);
    expect(attempts).to.be.within(2, 16);
    const patient = withPatience(20_000, ({ databaseName }) => limited.connect(databaseName));
    const waiting = Promise.all(IDS.map((id) => read(patient, id)));
    await others.release();
    expect(await waiting).to.have.length(8);
  });
});

/** A server's share as the service makes it. */
const shareDeps = (container: Container, server: ResultsServer): ConnectionShareDeps => ({
  instanceId: container.get(TOKENS.instanceId),
  serverId: server.serverId,
  serverBudget: container.get(TOKENS.config).database.servers[0].connectionBudget,
  budget: server.budget,
  ledger: new KnexInstanceLedger(container.get(TOKENS.metadataControl)),
  control: server.control,
  sessions: server.sessions,
  serverBreaker: server.breaker,
  metadataBreaker: container.get(TOKENS.metadataBreaker),
  logger: container.get(TOKENS.logger),
});

const isOurs = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('postgres:') && process.kill(pid, 0);
  } catch {
    return false;
  }
};
