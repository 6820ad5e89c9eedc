import { expect } from 'chai';
import type { Container } from 'inversify';
import { parseServerId } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { startChildService } from '../support/child-service.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job, Problem, Readiness } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { SecondServer } from '../support/second-server.ts';
import type { Reply } from '../support/send.ts';
import { startTcpProxy, throughProxies } from '../support/tcp-proxy.ts';

const SUBMISSION = { engine: 'vina', inputs: { ligand: 'CCO' } };
const EU = parseServerId('eu');
const HOME = ['home-0', 'home-1'];
const AWAY = ['away-0', 'away-1'];
/** A busy machine may be late now and then; a wait for a server that is away takes a second at least. */
const AT_ONCE_MS = 500;
const RECOVERY_MS = 20_000;

interface Timed<Body> extends Reply<Body> {
  readonly tookMs: number;
}

describe('one of two results servers is away', function () {
  this.timeout(120_000);
  let eu: SecondServer;
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    eu = await SecondServer.start();
  });
  after(() => eu?.remove());
  beforeEach(async () => {
    deployment = await createDeployment({ DB_CONNECT_TIMEOUT_MS: '1000' }, { servers: { eu: eu.url } });
    await deployment.register(...HOME, ...AWAY);
    // As the first start does.
    await deployment.metadata(`insert into results_servers (server_id) values ('eu')`);
  });
  afterEach(async () => {
    await eu.recover();
    await service?.close();
    await deployment.dispose();
  });

  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<Container> => {
    const container = deployment.start(settings);
    service = await HttpService.running(container, [...HOME, ...AWAY]);
    return container;
  };
  const pin = (server: string | null, ...ids: readonly string[]): Promise<unknown> =>
    deployment.metadata('update organizations set pinned_server_id = $1 where org_id = any($2)', server, ids);
  const placements = async (...ids: readonly string[]): Promise<Readonly<Record<string, string>>> => {
    const rows = await deployment.metadata<{ org_id: string; server_id: string }>(
      'select org_id, server_id from organization_databases where org_id = any($1)',
      ids,
    );
    return Object.fromEntries(rows.map((row) => [row.org_id, row.server_id]));
  };
  const submit = async (id: string): Promise<Timed<Job>> => {
    const from = performance.now();
    const caller = service.as(deployment.token(id, ['member']));
    const reply = await caller.post<Job>('/jobs', SUBMISSION);
    return { ...reply, tookMs: performance.now() - from };
  };
  const list = async (id: string): Promise<Timed<{ items: readonly Job[] } & Problem>> => {
    const from = performance.now();
    const caller = service.as(deployment.token(id, ['member']));
    const reply = await caller.get<{ items: readonly Job[] } & Problem>('/jobs');
    return { ...reply, tookMs: performance.now() - from };
  };
  const jobsOf = async (id: string): Promise<readonly string[]> => {
    const found: string[] = [];
    const caller = service.as(deployment.token(id, ['member']));
    for (let path = '/jobs?limit=100'; path !== '';) {
      const { status, body } = await caller.get<{ items: readonly Job[]; next_cursor: string | null }>(path);
      expect(status, id).to.equal(200);
      found.push(...body.items.map((job) => job.job_id));
      path =
        body.next_cursor === null ? '' : `/jobs?limit=100&cursor=${encodeURIComponent(body.next_cursor)}`;
    }
    return found.toSorted();
  };
  const serves = (id: string) => async (): Promise<boolean> => (await list(id)).status === 200;
  const ready = () => service.call<Readiness>('GET', '/ready');

  /** Jobs that were acknowledged, by organization. */
  type Written = Record<string, string[]>;
  const write = async (written: Written, ...ids: readonly string[]): Promise<void> => {
    for (const id of ids) {
      const { status, body } = await submit(id);
      expect(status, `${id} ${JSON.stringify(body)}`).to.equal(201);
      (written[id] ??= []).push(body.job_id);
    }
  };
  /** Whatever was acknowledged is there. What was not may have been written or not: `unknown` of them at most. */
  const expectAllOf = async (written: Written, unknown = 0): Promise<void> => {
    for (const [id, jobs] of Object.entries(written)) {
      const found = await jobsOf(id);
      expect(found, id).to.include.members(jobs);
      expect(found.length - jobs.length, id).to.be.within(0, AWAY.includes(id) ? unknown : 0);
    }
  };

  /** Reads and writes of organizations on the server that is there, until it is told to stop; resolves to their times. */
  const watchHome = (written: Written): (() => Promise<readonly number[]>) => {
    const times: number[] = [];
    let stopped = false;
    const work = (async () => {
      while (!stopped) {
        for (const id of HOME) {
          const { status, body, tookMs } = await submit(id);
          expect(status).to.equal(201);
          (written[id] ??= []).push(body.job_id);
          const read = await list(id);
          expect(read.status).to.equal(200);
          times.push(tookMs, read.tookMs);
        }
      }
    })();
    return async () => {
      stopped = true;
      await work;
      return times;
    };
  };
  const expectNoWait = (times: readonly number[]): void => {
    const slow = times.filter((tookMs) => tookMs > AT_ONCE_MS);
    expect(times.length, 'requests meanwhile').to.be.greaterThan(10);
    expect(slow.length, slow.join(', ')).to.be.at.most(times.length / 20);
  };

  const refusedAtOnce = async (id: string): Promise<void> => {
    const { status, body, headers, tookMs } = await list(id);
    expect([status, body.code]).to.deep.equal([503, 'database_unavailable']);
    expect(Number(headers['retry-after'])).to.be.greaterThan(0);
    expect(tookMs).to.be.below(AT_ONCE_MS);
  };

  for (const fault of ['stopped', 'hung'] as const) {
    it(`dead-server-costs-its-own-organizations-only: ${fault}`, async () => {
      await pin('default', ...HOME);
      await pin('eu', ...AWAY);
      const container = await start();
      const written: Written = {};
      await write(written, ...HOME, ...AWAY);
      expect(await placements(...HOME, ...AWAY)).to.deep.equal({
        'home-0': 'default',
        'home-1': 'default',
        'away-0': 'eu',
        'away-1': 'eu',
      });

      const atHome = watchHome(written);
      await (fault === 'stopped' ? eu.kill() : eu.hang());
      const failedAt = performance.now();
      // Such as come before anything is noticed end soon after it is.
      const caught = await Promise.all(
        [...AWAY, ...AWAY].map((id, turn) => (turn % 2 === 0 ? list(id) : submit(id))),
      );
      expect(caught.map(({ status }) => status)).to.deep.equal([503, 503, 503, 503]);
      expect(Math.max(...caught.map(({ tookMs }) => tookMs))).to.be.below(8000);
      const { breaker } = container.get(TOKENS.servers).of(EU);
      await until('the circuit is open', () => breaker.state === 'open' && breaker.retryInMs > AT_ONCE_MS);
      for (const id of AWAY) await refusedAtOnce(id);

      const from = performance.now();
      const { status, body } = await ready();
      expect(performance.now() - from).to.be.below(AT_ONCE_MS);
      expect([status, body.checks.servers]).to.deep.equal([200, { default: true, eu: false }]);

      // New organizations go to the other server, those that may not are refused, and nothing is written for them.
      const newcomers = ['new-0', 'new-1', 'new-2', 'new-3'];
      await deployment.register(...newcomers, 'bound');
      await pin('eu', 'bound');
      for (const id of newcomers) await write(written, id);
      expect(new Set(Object.values(await placements(...newcomers)))).to.deep.equal(new Set(['default']));
      const bound = await list('bound');
      expect([bound.status, bound.body.code]).to.deep.equal([503, 'no_server_available']);
      expect(bound.tookMs).to.be.below(AT_ONCE_MS);
      expect(await placements('bound')).to.deep.equal({});

      const { findings, unreachable } = await container.get(TOKENS.reconcileDatabases)({
        dryRun: false,
        quarantineForeign: false,
      });
      expect(unreachable.map(({ serverId }) => serverId)).to.deep.equal(['eu']);
      expect(findings.filter(({ serverId }) => serverId === 'eu')).to.deep.equal([]);
      await until('it was away for several back-offs', () => performance.now() - failedAt > 8000, 20_000);
      expectNoWait(await atHome());

      await eu.recover();
      for (const id of AWAY) await until(`${id} is served again`, serves(id), RECOVERY_MS);
      await until('it takes new organizations again', serves('bound'), RECOVERY_MS);
      await write(written, ...AWAY, 'bound');
      await expectAllOf(written, 1);
      expect((await ready()).body.checks.servers).to.deep.equal({ default: true, eu: true });
      // Each organization's database is on its own server, and nowhere else.
      const [home, away] = [await deployment.databases(), await deployment.databases('eu')];
      for (const id of AWAY) {
        expect(away).to.include(deployment.databaseName(id));
        expect(home).to.not.include(deployment.databaseName(id));
      }
      for (const id of [...HOME, ...newcomers]) expect(away).to.not.include(deployment.databaseName(id));
    });
  }

  it('dead-server-costs-its-own-organizations-only: absent at start, and back again', async () => {
    const spares = { DB_SPARES_MIN: '1', DB_SPARES_MAX: '1' };
    await pin('default', ...HOME);
    await pin('eu', ...AWAY);
    await start();
    const written: Written = {};
    await write(written, ...HOME, ...AWAY);
    await service.close();

    await eu.kill();
    const from = performance.now();
    await start(spares);
    expect(performance.now() - from, 'nothing at the start waits for a server').to.be.below(10_000);
    await write(written, ...HOME);
    expect((await list('away-0')).body.code).to.equal('database_unavailable');
    expect((await ready()).body.checks.servers).to.deep.equal({ default: true, eu: false });

    await eu.recover();
    for (const id of AWAY) await until(`${id} is served`, serves(id), RECOVERY_MS);
    await write(written, ...AWAY);
    await expectAllOf(written);
    await until(
      'a spare stands ready there',
      async () =>
        (await deployment.metadata(`select from spare_databases where server_id = 'eu' and state = 'ready'`))
          .length === 1,
      RECOVERY_MS,
    );
  });

  it('a start with a server that hangs listens as soon as one without it', async () => {
    await start();
    await service.close();
    await eu.hang();
    const from = performance.now();
    await start();
    expect(performance.now() - from).to.be.below(5000);
    await deployment.register('new-0');
    const first = await submit('new-0');
    expect(first.status).to.equal(201);
    expect(await placements('new-0')).to.deep.equal({ 'new-0': 'default' });
  });

  it('a database that was never served is made on another server, and one that an operator gave is not', async () => {
    await deployment.register('half-made', 'given');
    await pin('eu', 'half-made', 'given');
    const child = await startChildService(deployment.environment, { step: 'clone', moment: 'after' });
    const making = child.call({ do: 'read', organizationId: 'half-made' }).catch(() => 'died');
    await Promise.race([child.atGate, making]);
    await child.kill();
    expect(await making).to.equal('died');
    const operator = deployment.start();
    const gift = deployment.databaseName('gift');
    await deployment.administer(`create database "${gift}"`, [], 'postgres', 'eu');
    const schemaVersion = await operator.get(TOKENS.servers).of(EU).migrate(gift);
    await operator.get(TOKENS.databaseLedger).recordAdoption(organizationId('given'), {
      serverId: EU,
      databaseName: deployment.databaseName('given'),
      from: gift,
      stamp: crypto.randomUUID(),
      schemaVersion,
    });
    await pin(null, 'half-made', 'given');

    // Before the start, which would finish both.
    await eu.kill();
    const container = await start();
    const { breaker } = container.get(TOKENS.servers).of(EU);
    await until('the circuit is open', () => breaker.state === 'open');
    const written: Written = {};
    await write(written, 'half-made');
    const given = await list('given');
    expect([given.status, given.body.code]).to.deep.equal([503, 'database_unavailable']);
    expect(await placements('half-made', 'given')).to.deep.equal({ 'half-made': 'default', given: 'eu' });

    await eu.recover();
    await until('the one that was given is finished where it is', serves('given'), RECOVERY_MS);
    await expectAllOf(written);
    expect(await placements('half-made', 'given')).to.deep.equal({ 'half-made': 'default', given: 'eu' });
    await until(
      'what was left is dropped',
      async () => {
        await container.get(TOKENS.spareKeeper).refill();
        return !(await deployment.databases('eu')).some((name) => name.includes('spare'));
      },
      RECOVERY_MS,
    );
  });

  it('the server of the configuration’s first place may be the one that is away', async () => {
    const proxy = await startTcpProxy(deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '');
    try {
      await pin('default', ...HOME);
      await pin('eu', ...AWAY);
      const container = await start(throughProxies(deployment, { results: proxy }));
      const written: Written = {};
      await write(written, ...HOME, ...AWAY);
      proxy.refuse();
      proxy.reset();
      const { breaker } = container.get(TOKENS.servers).of(parseServerId('default'));
      await until('the circuit is open', () => breaker.state === 'open' && breaker.retryInMs > AT_ONCE_MS);
      for (const id of HOME) await refusedAtOnce(id);
      await deployment.register('new-0');
      await write(written, ...AWAY, 'new-0');
      expect(await placements('new-0')).to.deep.equal({ 'new-0': 'eu' });
      await proxy.resume();
      for (const id of HOME) await until(`${id} is served again`, serves(id), RECOVERY_MS);
      await expectAllOf(written);
    } finally {
      await proxy.resume();
      proxy.close();
    }
  });
});
