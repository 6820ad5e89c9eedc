import { expect } from 'chai';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { LocalDuties } from '../../infrastructure/composition/start-duties.ts';
import { captureLog, type LogEntry } from '../support/captured-log.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import {
  aroundAttempts,
  asRelease,
  createReleases,
  ledgerVersions,
  type Releases,
} from '../support/fleet.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const RUN = { canaries: 0, waveSize: { percent: 100 }, errorBudget: { count: 0 } } as const;
const OLDER = /an operator has to migrate/i;
const NEWER = /belongs to a newer release/;
const BODY = { engine: 'vina', inputs: { ligand: 'CCO' } };

describe('the window of schema versions', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let releases: Releases;
  const services: HttpService[] = [];

  before(async () => {
    releases = await createReleases([
      { name: 'add_note', up: `await knex.raw('alter table docking_jobs add column note text')` },
      { name: 'add_flag', up: `await knex.raw('alter table docking_jobs add column flag boolean')` },
    ]);
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.close();
    await deployment.dispose();
  });

  /** A process of a release, which serves what it declares or `window`. */
  const start = async (
    version: number,
    window: { readonly oldest: number; readonly newest: number } | null = null,
  ): Promise<{ container: Container; member: (organization: string) => Caller }> => {
    const containers: Container[] = [];
    const released: Deployment = {
      ...deployment,
      start: (settings) => {
        const container = asRelease(deployment.start(settings), releases.release(version));
        if (window !== null) container.rebind(TOKENS.schemaWindow).toConstantValue(async () => window);
        containers.push(container);
        return container;
      },
    };
    const service = await HttpService.start(released, ['acme', 'beta']);
    services.push(service);
    const [container] = containers;
    if (container === undefined) throw new Error('the service started no container');
    return { container, member: (id) => service.as(deployment.token(id, ['member'])) };
  };

  const migrate = async (version: number, ...ids: readonly string[]): Promise<void> => {
    const container = asRelease(deployment.start(), releases.release(version));
    const { status } = await container
      .get(TOKENS.fleetOperator)
      .run({ ...RUN, only: new Set(ids.map(organizationId)) }, { concurrency: 1 });
    expect(status?.counts.failed).to.equal(0);
  };

  const expectTurnedAway = async (caller: Caller, detail: RegExp): Promise<void> => {
    const reply = await caller.get<Problem>('/jobs');
    expect([reply.status, reply.body.code]).to.deep.equal([503, 'organization_not_ready']);
    expect(reply.body.detail).to.match(detail);
    expect(Number(reply.headers['retry-after'])).to.be.greaterThan(0);
  };
  const expectServed = async (caller: Caller): Promise<void> => {
    expect((await caller.post('/jobs', BODY)).status).to.equal(201);
    expect((await caller.get('/jobs')).status).to.equal(200);
  };

  it('old-code-new-schema-and-reverse-served-inside-window-refused-outside: the schema moves under an open pool', async () => {
    const { base } = releases;
    const old = await start(base);
    for (const id of ['acme', 'beta']) await expectServed(old.member(id));

    await migrate(base + 1, 'acme');
    const guard = old.container.get(TOKENS.schemaGuard);
    await guard.look();
    await expectServed(old.member('acme'));
    const next = await start(base + 1);
    for (const id of ['acme', 'beta']) await expectServed(next.member(id));

    await migrate(base + 2, 'acme');
    await guard.look();
    await expectTurnedAway(old.member('acme'), NEWER);
    await expectServed(old.member('beta'));
    await expectServed(next.member('acme'));
    const older = await start(base);
    await expectTurnedAway(older.member('acme'), NEWER);
    expect(await ledgerVersions(deployment), 'no request migrates').to.deep.equal({
      acme: base + 2,
      beta: base,
    });

    const back = asRelease(deployment.start(), releases.release(base + 2)).get(TOKENS.fleetOperator);
    await back.rollback({ of: [organizationId('acme')], target: base + 1 }, { concurrency: 1 });
    await guard.look();
    await expectServed(old.member('acme'));
  });

  it('an organization whose database of a newer release is retired gets a new one', async () => {
    const { base } = releases;
    const old = await start(base);
    await expectServed(old.member('acme'));
    await migrate(base + 2, 'acme');
    const guard = old.container.get(TOKENS.schemaGuard);
    await guard.look();
    await expectTurnedAway(old.member('acme'), NEWER);

    await deployment.start().get(TOKENS.retireDatabase)(organizationId('acme'));
    await guard.look();
    await expectServed(old.member('acme'));
    expect(await ledgerVersions(deployment)).to.deep.equal({ acme: base });
  });

  it('old-code-new-schema-and-reverse-served-inside-window-refused-outside: an organization behind is first in line', async () => {
    const { base } = releases;
    const old = await start(base);
    for (const id of ['acme', 'beta']) await expectServed(old.member(id));
    const next = await start(base + 1, { oldest: base + 1, newest: base + 2 });
    const operator = next.container.get(TOKENS.fleetOperator);
    const plan = { only: null, canaries: 0, waveSize: { count: 1 } } as const;
    expect((await operator.plan(plan)).items.map((item) => item.organizationId)).to.deep.equal([
      'acme',
      'beta',
    ]);

    await expectTurnedAway(next.member('beta'), OLDER);
    await expectTurnedAway(next.member('beta'), OLDER);
    const { items } = await operator.plan(plan);
    expect(items.map(({ organizationId: id, urgent }) => [id, urgent])).to.deep.equal([
      ['beta', true],
      ['acme', false],
    ]);
    await expectServed(old.member('beta'));

    await migrate(base + 1, 'beta');
    await expectServed(next.member('beta'));
    await expectTurnedAway(next.member('acme'), OLDER);
  });

  it('goes before its wave, though not before the canaries, when it is turned away during a run', async () => {
    const { base } = releases;
    await deployment.register('aaa', 'zzz');
    const old = await start(base);
    for (const id of ['aaa', 'acme', 'beta', 'zzz']) await expectServed(old.member(id));
    const next = await start(base + 1, { oldest: base + 1, newest: base + 1 });
    // A command works on the run: the service has asked for its migrator already.
    const command = asRelease(deployment.start(), releases.release(base + 1));
    const order: string[] = [];
    aroundAttempts(command, async (target, proceed) => {
      if (order.length === 0) await expectTurnedAway(next.member('zzz'), OLDER);
      order.push(target.organizationId);
      await proceed();
    });
    await command
      .get(TOKENS.fleetOperator)
      .run({ ...RUN, only: null, canaries: 1, waveSize: { count: 1 } }, { concurrency: 1 });
    expect(order).to.deep.equal(['aaa', 'zzz', 'acme', 'beta']);
  });

  describe('at the start of a service', () => {
    /** A service of a release that an operator, or (with duties) nobody, sees to. */
    const begin = async (
      version: number,
      window: { readonly oldest: number; readonly newest: number },
      duties: LocalDuties | null,
    ): Promise<{ log: readonly LogEntry[]; service: HttpService }> => {
      const container = asRelease(deployment.start(), releases.release(version));
      container.rebind(TOKENS.schemaWindow).toConstantValue(async () => window);
      const log = captureLog(container);
      const service = await HttpService.running(container, ['acme', 'beta'], duties);
      services.push(service);
      return { log, service };
    };
    const errorsOf = (log: readonly LogEntry[]): readonly string[] =>
      log
        .filter(({ level }) => level === 'error')
        .map(({ message, fields }) => `${message} ${JSON.stringify(fields)}`);

    it('an error says how many organizations are not served, of older and of newer schemas', async () => {
      const { base } = releases;
      const old = await start(base);
      for (const id of ['acme', 'beta']) await expectServed(old.member(id));
      await migrate(base + 2, 'beta');
      const { log } = await begin(base + 1, { oldest: base + 1, newest: base + 1 }, null);
      await until('it says so', () => errorsOf(log).length === 2);
      const [below, above] = errorsOf(log);
      expect(below).to.match(/not served until .*migrate run.*"organizations":1/);
      expect(above).to.match(/not served: .*newer release.*"organizations":1/);
    });

    it('one that nobody operates migrates them itself, before it takes requests', async () => {
      const { base } = releases;
      const old = await start(base);
      for (const id of ['acme', 'beta']) await expectServed(old.member(id));
      const { log, service } = await begin(
        base + 1,
        { oldest: base + 1, newest: base + 1 },
        { rotation: null },
      );
      for (const id of ['acme', 'beta']) await expectServed(service.as(deployment.token(id, ['member'])));
      expect(await ledgerVersions(deployment)).to.deep.equal({ acme: base + 1, beta: base + 1 });
      expect(errorsOf(log)).to.deep.equal([]);
    });
  });
});
