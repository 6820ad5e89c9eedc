import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

interface Settings {
  readonly settings: Readonly<Record<string, unknown>>;
}

const PATH = '/organizations/acme/settings';

describe('The settings of an organization', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let other: HttpService;
  let administrator: Caller;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
    [service, other] = await Promise.all([HttpService.start(deployment), HttpService.start(deployment)]);
    administrator = service.as(deployment.token('acme', ['org_admin']));
  });
  afterEach(async () => {
    await Promise.all([service.close(), other.close()]);
    await deployment.dispose();
  });

  it('are patched: null removes, objects are merged, the rest stays', async () => {
    await administrator.put(PATH, { settings: { theme: 'dark', limits: { jobs: 5, size: 7 }, note: 'x' } });
    const patch = { settings: { note: null, limits: { jobs: 6 }, max_connections: 2 } };
    const patched = await administrator.patch<Settings>(PATH, patch, {
      'content-type': 'application/merge-patch+json',
    });
    const settings = { theme: 'dark', limits: { jobs: 6, size: 7 }, max_connections: 2 };
    expect([patched.status, patched.body]).to.deep.equal([200, { settings }]);
    expect((await administrator.get<Settings>(PATH)).body).to.deep.equal({ settings });
    const removed = await administrator.patch<Settings>(PATH, { settings: { max_connections: null } });
    expect(removed.body.settings).not.to.have.property('max_connections');
  });

  it('have a version in their ETag, on which a write can be made to depend', async () => {
    expect((await administrator.get(PATH)).headers['etag']).to.equal('"0"');
    const first = await administrator.put(PATH, { settings: { a: 1 } }, { 'if-match': '"0"' });
    expect([first.status, first.headers['etag']]).to.deep.equal([200, '"1"']);
    for (const write of [administrator.put, administrator.patch]) {
      for (const tag of ['"0"', '"7"', 'W/"1"', '"one"', '"0", "9"']) {
        const stale = await write<Problem>(PATH, { settings: { a: 2 } }, { 'if-match': tag });
        expect([stale.status, stale.body.code], tag).to.deep.equal([412, 'settings_changed']);
      }
    }
    expect((await administrator.get<Settings>(PATH)).body.settings).to.deep.equal({ a: 1 });
    let version = 1;
    for (const tag of ['"1"', '"0", "2"', '*']) {
      const written = await administrator.patch(PATH, { settings: { tag } }, { 'if-match': tag });
      version += 1;
      expect([written.status, written.headers['etag']]).to.deep.equal([200, `"${version}"`]);
    }
    for (const tag of ['1', '"1', 'x"1"', '']) {
      const refused = await administrator.patch<Problem>(PATH, { settings: {} }, { 'if-match': tag });
      expect([refused.status, refused.body.errors?.[0]?.path], tag).to.deep.equal([422, 'If-Match']);
    }
  });

  it('lose no write when many patch them at the same time, in two processes', async () => {
    const two = other.as(deployment.token('acme', ['org_admin']));
    const one = administrator;
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? one : two).patch(PATH, { settings: { [`key${n}`]: n } }),
      ),
    );
    const { body, headers } = await administrator.get<Settings>(PATH);
    expect(Object.keys(body.settings)).to.have.length(20);
    expect(headers['etag']).to.equal('"20"');
  });

  it('take one of those writes that depend on the same version', async () => {
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        administrator.put(PATH, { settings: { n } }, { 'if-match': '"0"' }),
      ),
    );
    expect(replies.filter(({ status }) => status === 200)).to.have.length(1);
    expect(replies.filter(({ status }) => status === 412)).to.have.length(9);
  });

  it('are refused when the service could not act on them, and nothing is written', async () => {
    const { database } = service.container.get(TOKENS.config);
    const most = database.organizationPool.size + database.organizationPool.maxOverflow;
    for (const [settings, path] of [
      [{ max_connections: 0 }, 'settings.max_connections'],
      [{ max_connections: most + 1 }, 'settings.max_connections'],
      [{ max_connections: '3' }, 'settings.max_connections'],
      [{ statement_timeout_ms: 0.5 }, 'settings.statement_timeout_ms'],
      [{ idle_in_transaction_timeout_ms: -1 }, 'settings.idle_in_transaction_timeout_ms'],
      [{ lock_timeout_ms: 3_600_001 }, 'settings.lock_timeout_ms'],
    ] as const) {
      for (const write of [administrator.put, administrator.patch]) {
        const { status, body } = await write<Problem>(PATH, { settings });
        expect([status, body.errors?.[0]?.path]).to.deep.equal([422, path]);
      }
    }
    const nulls = await administrator.put<Problem>(PATH, { settings: { max_connections: null } });
    expect(nulls.status, 'only a patch takes null for nothing').to.equal(422);
    expect((await administrator.get(PATH)).headers['etag']).to.equal('"0"');
    expect((await administrator.put(PATH, { settings: { max_connections: most } })).status).to.equal(200);
  });

  it('do not grow without bounds, patch by patch', async () => {
    const half = 'x'.repeat(600_000);
    expect((await administrator.patch(PATH, { settings: { a: half } })).status).to.equal(200);
    const { status, body } = await administrator.patch<Problem>(PATH, { settings: { b: half } });
    expect([status, body.errors?.[0]?.path]).to.deep.equal([422, 'settings']);
  });

  it('reach the pools of every process while these run, and leave them again', async () => {
    const policies = [service, other].map(({ container }) => container.get(TOKENS.organizationPolicies));
    const [acme, beta] = [organizationId('acme'), organizationId('beta')];
    const inEvery = (policy: object) => () =>
      policies.every((each) => JSON.stringify(each.policyOf(acme)) === JSON.stringify(policy));
    const write = async (settings: object, policy: object): Promise<void> => {
      const before = performance.now();
      await administrator.patch(PATH, { settings });
      await until('the policy arrives', inEvery(policy));
      expect(performance.now() - before).to.be.below(1000);
    };
    expect(inEvery({})()).to.equal(true);
    await write({ max_connections: 2, theme: 'dark' }, { maxConnections: 2 });
    await write({ lock_timeout_ms: 100 }, { maxConnections: 2, lockTimeoutMs: 100 });
    await write({ max_connections: null }, { lockTimeoutMs: 100 });
    for (const each of policies) expect(each.policyOf(beta)).to.deep.equal({});

    const late = await HttpService.start(deployment);
    try {
      const known = late.container.get(TOKENS.organizationPolicies).policyOf(acme);
      expect(known).to.deep.equal({ lockTimeoutMs: 100 });
    } finally {
      await late.close();
    }
    await write({ lock_timeout_ms: null }, {});
  });

  it('leave a trail of who changed which, with the values of quotas and deadlines alone', async () => {
    await administrator.put(PATH, { settings: { max_connections: 2, api_key: 'confidential' } });
    await administrator.patch(PATH, { settings: { max_connections: 3 } });
    const { body, text } = await administrator.get<Page<AuditEntry>>('/organizations/acme/audit-logs');
    expect(body.items.map(({ action, details }) => [action, details])).to.deep.equal([
      [
        'settings.patched',
        {
          keys: ['api_key', 'max_connections'],
          version: 2,
          before: { max_connections: 2 },
          after: { max_connections: 3 },
        },
      ],
      [
        'settings.replaced',
        { keys: ['max_connections', 'api_key'], version: 1, before: {}, after: { max_connections: 2 } },
      ],
    ]);
    expect(text).not.to.include('confidential');
  });
});
