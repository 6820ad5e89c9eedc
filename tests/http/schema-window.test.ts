import { expect } from 'chai';
import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import {
  aroundAttempts,
  asRelease,
  createReleases,
  ledgerVersions,
  type Releases,
} from '../support/fleet.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const RUN = { canaries: 0, waveSize: { percent: 100 }, errorBudget: { count: 0 } } as const;
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

  const expectTurnedAway = async (caller: Caller): Promise<void> => {
    const reply = await caller.get<Problem>('/jobs');
    expect([reply.status, reply.body.code]).to.deep.equal([503, 'organization_not_ready']);
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
    await expectTurnedAway(old.member('acme'));
    await expectServed(old.member('beta'));
    await expectServed(next.member('acme'));
    const older = await start(base);
    await expectTurnedAway(older.member('acme'));
    expect(await ledgerVersions(deployment), 'no request migrates').to.deep.equal({
      acme: base + 2,
      beta: base,
    });

    const back = asRelease(deployment.start(), releases.release(base + 2)).get(TOKENS.fleetOperator);
    await back.rollback({ of: [organizationId('acme')], target: base + 1 }, { concurrency: 1 });
    await guard.look();
    await expectServed(old.member('acme'));
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

    await expectTurnedAway(next.member('beta'));
    await expectTurnedAway(next.member('beta'));
    const { items } = await operator.plan(plan);
    expect(items.map(({ organizationId: id, urgent }) => [id, urgent])).to.deep.equal([
      ['beta', true],
      ['acme', false],
    ]);
    await expectServed(old.member('beta'));

    await migrate(base + 1, 'beta');
    await expectServed(next.member('beta'));
    await expectTurnedAway(next.member('acme'));
  });

  it('goes before its wave, though not before the canaries, when it is turned away during a run', async () => {
    const { base } = releases;
    await deployment.register('aaa', 'zzz');
    const old = await start(base);
    for (const id of ['aaa', 'acme', 'beta', 'zzz']) await expectServed(old.member(id));
    const next = await start(base + 1, { oldest: base + 1, newest: base + 1 });
    const order: string[] = [];
    aroundAttempts(next.container, async (target, proceed) => {
      if (order.length === 0) await expectTurnedAway(next.member('zzz'));
      order.push(target.organizationId);
      await proceed();
    });
    await next.container
      .get(TOKENS.fleetOperator)
      .run({ ...RUN, only: null, canaries: 1, waveSize: { count: 1 } }, { concurrency: 1 });
    expect(order).to.deep.equal(['aaa', 'zzz', 'acme', 'beta']);
  });
});
