import { expect } from 'chai';
import type { Container } from 'inversify';
import { parseServerId } from '../../domain/databases/server.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createContainer } from '../../infrastructure/composition/container.ts';
import { parseConfig } from '../../infrastructure/config/config.ts';
import { captureLog } from '../support/captured-log.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { SecondServer } from '../support/second-server.ts';

const EU = parseServerId('eu');

describe('the placement of new organizations on two servers', function () {
  this.timeout(120_000);
  let eu: SecondServer;
  let deployment: Deployment;
  let services: HttpService[];

  before(async () => {
    eu = await SecondServer.start();
  });
  after(() => eu?.remove());
  beforeEach(async () => {
    services = [];
    deployment = await createDeployment({}, { servers: { eu: eu.url } });
  });
  afterEach(async () => {
    await eu.recover();
    await Promise.all(services.map((service) => service.close()));
    await deployment.dispose();
  });

  const start = async (container: Container = deployment.start()): Promise<HttpService> => {
    const service = await HttpService.running(container);
    services.push(service);
    // A server whose template is yet to be built is offered to nobody who can go elsewhere.
    const servers = container.get(TOKENS.servers).list();
    await Promise.all(servers.map(({ template }) => template.ready().catch(() => undefined)));
    return service;
  };
  const setServer = (id: string, changes: string): Promise<unknown> =>
    deployment.metadata(`update results_servers set ${changes} where server_id = $1`, id);
  const ask = async (service: HttpService, id: string): Promise<string> => {
    const { status, body } = await service.as(deployment.token(id, ['member'])).get<Problem>('/jobs');
    return status === 200 ? 'served' : body.code;
  };
  const placementOf = async (id: string): Promise<string | null> => {
    const rows = await deployment.metadata<{ server_id: string }>(
      'select server_id from organization_databases where org_id = $1',
      id,
    );
    return rows[0]?.server_id ?? null;
  };
  const counts = async (): Promise<Readonly<Record<string, number>>> => {
    const rows = await deployment.metadata<{ server_id: string; databases: number; recorded: number }>(
      `select server_id, databases,
         (select count(*)::int from organization_databases d where d.server_id = s.server_id and stamp is not null) as recorded
       from results_servers s`,
    );
    for (const row of rows) expect(row.databases, row.server_id).to.equal(row.recorded);
    return Object.fromEntries(rows.map((row) => [row.server_id, row.databases]));
  };
  const idsOf = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `org-${String(index).padStart(3, '0')}`);
  const tally = (answers: readonly string[]): Readonly<Record<string, number>> => {
    const result: Record<string, number> = {};
    for (const answer of answers) result[answer] = (result[answer] ?? 0) + 1;
    return result;
  };

  it('placement-never-overshoots-a-limit-under-100-concurrent-first-requests', async () => {
    const ids = idsOf(100);
    await deployment.register(...ids);
    // The choice is made by one after the other: on a busy machine the last ones wait for it.
    const patient = { DB_ACQUIRE_TIMEOUT_MS: '30000', DB_LOCK_TIMEOUT_MS: '30000' };
    const [one, other] = [await start(deployment.start(patient)), await start(deployment.start(patient))];
    await setServer('default', 'max_databases = 7');
    await setServer('eu', 'max_databases = 6');
    const answers = await Promise.all(ids.map((id, index) => ask(index % 2 === 0 ? one : other, id)));
    expect(tally(answers)).to.deep.equal({ served: 13, no_server_available: 87 });
    expect(await counts()).to.deep.equal({ default: 7, eu: 6 });
    // Nothing was written for those that were refused.
    const refused = ids.filter((_, index) => answers[index] !== 'served');
    const traces = await deployment.metadata(
      `select org_id from organization_databases where org_id = any($1)
       union all select database_name from spare_databases`,
      refused,
    );
    expect(traces).to.deep.equal([]);

    await setServer('eu', 'max_databases = 9');
    const [next = '', ...others] = refused;
    expect(await ask(one, next)).to.equal('served');
    expect(await placementOf(next)).to.equal('eu');
    const more = await Promise.all(others.map((id, index) => ask(index % 2 === 0 ? one : other, id)));
    expect(tally(more)).to.deep.equal({ served: 2, no_server_available: 84 });
    expect(await counts()).to.deep.equal({ default: 7, eu: 9 });
  });

  it('spreads organizations over the servers by their weight', async () => {
    const ids = idsOf(24);
    await deployment.register(...ids);
    const service = await start();
    await setServer('eu', 'weight = 300');
    for (const id of ids) expect(await ask(service, id)).to.equal('served');
    // Best of two, and there are two: a quarter and three quarters.
    expect(await counts()).to.deep.equal({ default: 6, eu: 18 });
  });

  describe('pinned-organization-never-lands-elsewhere', () => {
    const pin = (id: string, changes: string): Promise<unknown> =>
      deployment.metadata(`update organizations set ${changes} where org_id = $1`, id);

    beforeEach(async () => {
      await deployment.register('to-server', 'to-label', 'free');
      await deployment.metadata(
        `insert into results_servers (server_id, labels) values ('eu', '{"region": "eu", "tier": "fast"}')`,
      );
      await pin('to-server', `pinned_server_id = 'eu'`);
      await pin('to-label', `pinned_labels = '{"region": "eu"}'`);
    });

    it('pinned-organization-never-lands-elsewhere: while its server takes it', async () => {
      const service = await start();
      for (const id of ['to-server', 'to-label']) {
        expect(await ask(service, id)).to.equal('served');
        expect(await placementOf(id)).to.equal('eu');
        expect(await deployment.databases('eu')).to.include(deployment.databaseName(id));
        expect(await deployment.databases()).to.not.include(deployment.databaseName(id));
      }
    });

    for (const [why, changes] of [
      ['full', 'max_databases = 0'],
      ['draining', `status = 'draining'`],
      ['disabled', `status = 'disabled'`],
      ['without the label', `labels = '{"region": "us"}'`],
    ] as const) {
      it(`pinned-organization-never-lands-elsewhere: with its server ${why}`, async () => {
        const service = await start();
        await setServer('eu', changes);
        const pinned = why === 'without the label' ? ['to-label'] : ['to-server', 'to-label'];
        for (const id of pinned) {
          expect(await ask(service, id)).to.equal('no_server_available');
          expect(await placementOf(id)).to.equal(null);
        }
        expect(await ask(service, 'free')).to.equal('served');
        expect(await placementOf('free')).to.equal(
          why === 'without the label' ? await placementOf('free') : 'default',
        );
        await setServer('eu', `max_databases = null, status = 'active', labels = '{"region": "eu"}'`);
        for (const id of pinned) {
          expect(await ask(service, id)).to.equal('served');
          expect(await placementOf(id)).to.equal('eu');
        }
      });
    }

    it('pinned-organization-never-lands-elsewhere: with its server stopped', async () => {
      const container = deployment.start();
      const service = await start(container);
      await eu.kill();
      const { breaker } = container.get(TOKENS.servers).of(EU);
      await until('the circuit is open', () => breaker.state === 'open');
      for (const id of ['to-server', 'to-label']) {
        expect(await ask(service, id)).to.equal('no_server_available');
        expect(await placementOf(id)).to.equal(null);
      }
      await eu.recover();
      for (const id of ['to-server', 'to-label']) {
        await until('it is served', async () => (await ask(service, id)) === 'served', 20_000);
        expect(await placementOf(id)).to.equal('eu');
      }
    });

    it('pinned-organization-never-lands-elsewhere: before the template of its server is built', async () => {
      const container = deployment.start();
      const service = await HttpService.running(container);
      services.push(service);
      container.get(TOKENS.servers).of(EU).template.invalidate();
      expect(await ask(service, 'to-server')).to.equal('served');
      expect(await placementOf('to-server')).to.equal('eu');
    });
  });

  it('same-cluster-under-two-names-is-refused', async () => {
    await deployment.register('first', 'second', 'pinned');
    const container = deployment.start({
      DB_RESULTS_DB_TEMPLATE_EU: deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '',
    });
    const log = captureLog(container);
    const service = await start(container);
    await until('the second name is known', () =>
      log.some(
        ({ level, message }) =>
          level === 'error' && message === 'two servers are the same cluster; one is not used',
      ),
    );
    await deployment.metadata(`update organizations set pinned_server_id = 'eu' where org_id = 'pinned'`);
    for (const id of ['first', 'second']) {
      expect(await ask(service, id)).to.equal('served');
      expect(await placementOf(id)).to.equal('default');
    }
    expect(await ask(service, 'pinned')).to.equal('no_server_available');
    // The second name leads to databases that are the first one's: none of them is taken for left over.
    const before = await deployment.databases();
    const { findings, unreachable } = await deployment
      .start({ DB_RESULTS_DB_TEMPLATE_EU: deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '' })
      .get(TOKENS.reconcileDatabases)({ dryRun: false, quarantineForeign: true });
    expect(findings).to.deep.equal([]);
    expect(unreachable.map(({ serverId }) => serverId)).to.deep.equal(['eu']);
    expect(await deployment.databases()).to.deep.equal(before);
    expect(await ask(service, 'first')).to.equal('served');
  });

  it('a server of the ledger that is not in the configuration costs its own organizations only', async () => {
    await deployment.register('home', 'away');
    const both = await start();
    await deployment.metadata(`update organizations set pinned_server_id = 'eu' where org_id = 'away'`);
    await deployment.metadata(`update organizations set pinned_server_id = 'default' where org_id = 'home'`);
    for (const id of ['home', 'away']) expect(await ask(both, id)).to.equal('served');
    await both.close();
    services.pop();

    const { DB_RESULTS_DB_TEMPLATE_EU: _, ...environment } = deployment.environment;
    const container = createContainer(parseConfig(environment));
    const log = captureLog(container);
    const service = await start(container);
    expect(
      log.filter(({ level }) => level === 'error').map(({ fields, message }) => ({ ...fields, message })),
    ).to.deep.equal([
      {
        server: 'eu',
        recorded_databases: 1,
        message: 'organizations are not served: this process is not configured for their server',
      },
    ]);
    const { unreachable } = await container.get(TOKENS.reconcileDatabases)({
      dryRun: true,
      quarantineForeign: false,
    });
    expect(unreachable).to.deep.equal([{ serverId: 'eu', reason: 'The configuration does not name it.' }]);
    expect(await ask(service, 'away')).to.equal('database_unavailable');
    expect(await ask(service, 'home')).to.equal('served');
    await deployment.register('new');
    expect(await ask(service, 'new')).to.equal('served');
    expect(await placementOf('new')).to.equal('default');
    expect((await service.call('GET', '/ready')).status).to.equal(200);
  });
});
