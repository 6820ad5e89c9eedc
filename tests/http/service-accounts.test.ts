import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import type { NewServiceAccountReply, ServiceAccountReply, TokenReply } from '../support/access-contract.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { UUID, type AuditEntry, type Page, type Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const PER_ADDRESS = 30;
const OF_ALPHA = '/organizations/alpha/service-accounts';
const FLEETS = '/admin/service-accounts';

interface KeyReply {
  readonly key_id: string;
  readonly key?: string;
  readonly last_used_at: string | null;
}

describe('Service accounts', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;
  let ofAlpha: Caller;
  let ofBeta: Caller;

  before(async () => {
    deployment = await createDeployment({ LOGIN_ATTEMPTS_PER_ADDRESS: String(PER_ADDRESS) });
    service = await HttpService.start(deployment);
    await deployment.register('alpha', 'beta');
    platform = service.as(deployment.token(null, ['platform_admin']));
    ofAlpha = service.as(deployment.token('alpha', ['org_admin']));
    ofBeta = service.as(deployment.token('beta', ['org_admin']));
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const make = async (roles: readonly string[] = ['worker']): Promise<NewServiceAccountReply> => {
    const reply = await ofAlpha.post<NewServiceAccountReply>(OF_ALPHA, { name: 'cluster', roles });
    expect(reply.status, reply.text).to.equal(201);
    expect(reply.headers['location']).to.equal(`${OF_ALPHA}/${reply.body.service_account_id}`);
    return reply.body;
  };
  const makeFleet = async (): Promise<NewServiceAccountReply> =>
    (await platform.post<NewServiceAccountReply>(FLEETS, { name: 'fleet' })).body;
  const tokenFor = (key: string) =>
    service.call<TokenReply & Problem>('POST', '/auth/token', { body: { key } });
  const enter = async (key: string): Promise<Caller> => service.as((await tokenFor(key)).body.access_token);
  const codeOf = async (reply: Promise<{ status: number; body: unknown }>): Promise<string> => {
    const { status, body } = await reply;
    return `${status} ${(body as Problem | null)?.code ?? ''}`.trim();
  };
  const isOut = (caller: Caller) =>
    until('the token opens nothing', async () => (await caller.get('/jobs')).status === 401);
  const trail = async (of: Caller, path: string): Promise<readonly string[]> =>
    (await of.get<Page<AuditEntry>>(path)).body.items.map(({ action }) => action);

  it('show each key once, by a prefix to know it by, and keep its hash alone', async () => {
    const made = await make();
    expect(made.key).to.match(/^mad_sk_[A-Za-z0-9_-]{43}$/);
    const one = `${OF_ALPHA}/${made.service_account_id}`;
    for (const path of [OF_ALPHA, one, `${one}/keys`])
      expect((await ofAlpha.get(path)).text, path).not.to.include('mad_sk_');
    const rows = await deployment.metadata<{ row: string }>(
      'select k::text as row from service_account_keys k',
    );
    for (const { row } of rows) expect(row).not.to.include(made.key);
    expect((await ofAlpha.get<ServiceAccountReply>(one)).body).to.deep.include({
      service_account_id: made.service_account_id,
      name: 'cluster',
      fleet: false,
      roles: ['worker'],
    });
  });

  it('get tokens for a key, as many at once as there are workers, and no refresh token', async () => {
    const { key, service_account_id: id } = await make();
    const replies = await Promise.all(Array.from({ length: 4 * PER_ADDRESS }, () => tokenFor(key)));
    expect(new Set(replies.map(({ status }) => status))).to.deep.equal(new Set([200]));
    const { body } = replies[0] ?? (await tokenFor(key));
    expect(Object.keys(body)).to.have.members(['access_token', 'token_type', 'expires_in']);
    expect(jwt.decode(body.access_token)).to.deep.include({ sub: id, org_id: 'alpha', roles: ['worker'] });
    expect(await codeOf(service.as(body.access_token).get('/jobs'))).to.equal('200');
    expect(await codeOf(service.as(body.access_token).post('/jobs', {}))).to.equal('403 role_required');
    const [used] = (await ofAlpha.get<{ items: readonly KeyReply[] }>(`${OF_ALPHA}/${id}/keys`)).body.items;
    expect(used?.last_used_at).to.be.a('string');
  });

  it('have a key exchanged for another without a pause: both work until the first is revoked', async () => {
    const { key, key_id: firstId, service_account_id: id } = await make();
    const keys = `${OF_ALPHA}/${id}/keys`;
    const early = await enter(key);
    const added = await ofAlpha.post<KeyReply>(keys);
    expect([added.status, added.body.key_id]).to.deep.equal([201, added.body.key_id]);
    const late = await enter(added.body.key ?? '');
    for (const caller of [early, late]) expect(await codeOf(caller.get('/jobs'))).to.equal('200');

    expect(await codeOf(ofAlpha.delete(`${keys}/${firstId}`))).to.equal('204');
    await isOut(early);
    expect(await codeOf(tokenFor(key))).to.equal('401 unauthenticated');
    expect(await codeOf(late.get('/jobs')), 'the other key').to.equal('200');
    expect(await codeOf(ofAlpha.delete(`${keys}/${firstId}`))).to.equal('404 service_account_key_not_found');
    const { items } = (await ofAlpha.get<{ items: readonly KeyReply[] }>(keys)).body;
    expect(items.map(({ key_id: keyId }) => keyId)).to.deep.equal([added.body.key_id]);
  });

  it('have a bounded number of keys', async () => {
    const { service_account_id: id } = await make();
    const add = () => ofAlpha.post(`${OF_ALPHA}/${id}/keys`);
    for (let n = 1; n < 20; n += 1) expect((await add()).status).to.equal(201);
    expect(await codeOf(add())).to.equal('429 quota_exceeded');
  });

  it('that are deleted take their tokens with them', async () => {
    const { key, service_account_id: id } = await make();
    const caller = await enter(key);
    expect(await codeOf(caller.get('/jobs'))).to.equal('200');
    expect(await codeOf(ofAlpha.delete(`${OF_ALPHA}/${id}`))).to.equal('204');
    await isOut(caller);
    expect(await codeOf(tokenFor(key))).to.equal('401 unauthenticated');
    for (const again of [ofAlpha.delete(`${OF_ALPHA}/${id}`), ofAlpha.get(`${OF_ALPHA}/${id}`)])
      expect(await codeOf(again)).to.equal('404 service_account_not_found');
  });

  it('are nobody’s but their organization’s: to others they are no accounts at all', async () => {
    const { service_account_id: id, key_id: keyId } = await make();
    const one = `/organizations/beta/service-accounts/${id}`;
    for (const reply of [
      ofBeta.get(one),
      ofBeta.put(one),
      ofBeta.delete(one),
      ofBeta.get(`${one}/keys`),
      ofBeta.post(`${one}/keys`),
      ofBeta.delete(`${one}/keys/${keyId}`),
      platform.get(`${FLEETS}/${id}`),
      platform.delete(`${FLEETS}/${id}`),
      platform.post(`${FLEETS}/${id}/keys`),
    ])
      expect(await codeOf(reply)).to.equal('404 service_account_not_found');
    const listed = await ofBeta.get<Page<ServiceAccountReply>>('/organizations/beta/service-accounts');
    expect(listed.body.items).to.deep.equal([]);
    for (const reply of [ofAlpha.get(`/organizations/alpha/members`), platform.get('/users')])
      expect((await reply).text).not.to.include(id);
    for (const reply of [
      platform.put(`/users/${id}/password`, { password: 'a password for a machine' }),
      platform.patch(`/users/${id}`, { platform_admin: true }),
      platform.post(`/users/${id}/identities`, { issuer: 'https://idp.example', subject: 'machine' }),
    ])
      expect(await codeOf(reply)).to.equal('404 user_not_found');
    const body = { email: `service-account:${id}`, password: 'a password for a machine' };
    expect(await codeOf(service.call('POST', '/auth/token', { body }))).to.equal('401 unauthenticated');
  });

  it('leave an entry in the trail for whatever is done with them', async () => {
    const { service_account_id: id, key_id: keyId } = await make();
    const one = `${OF_ALPHA}/${id}`;
    await ofAlpha.post(`${one}/keys`);
    await ofAlpha.delete(`${one}/keys/${keyId}`);
    await ofAlpha.delete(one);
    const own = await trail(ofAlpha, '/organizations/alpha/audit-logs?limit=4');
    expect(own).to.deep.equal([
      'service_account.removed',
      'service_account.key_revoked',
      'service_account.key_added',
      'service_account.created',
    ]);
    const fleet = await makeFleet();
    const admission = `${OF_ALPHA}/${fleet.service_account_id}`;
    for (const status of [201, 200]) expect((await ofAlpha.put(admission)).status).to.equal(status);
    await ofAlpha.delete(admission);
    expect((await trail(ofAlpha, '/organizations/alpha/audit-logs?limit=3')).slice(0, 3)).to.deep.equal([
      'service_account.dismissed',
      'service_account.admitted',
      'service_account.removed',
    ]);
    expect(await trail(platform, '/admin/audit-logs?limit=1')).to.deep.equal(['service_account.created']);
  });

  describe('of the platform', () => {
    const exchange = (caller: Caller, organization: string) =>
      caller.post<TokenReply & Problem>('/auth/exchange', { org_id: organization });

    it('work for the organizations that admitted them, each under a token of its own', async () => {
      const { key, key_id: keyId, service_account_id: id } = await makeFleet();
      const fleet = await enter(key);
      expect(await codeOf(exchange(fleet, 'alpha'))).to.equal('403 organization_access_denied');
      expect((await ofAlpha.put(`${OF_ALPHA}/${id}`)).status).to.equal(201);
      await until('the admission counts', async () => (await exchange(fleet, 'alpha')).status === 200);
      const { body } = await exchange(fleet, 'alpha');
      expect(body.expires_in).to.equal(900);
      expect(jwt.decode(body.access_token)).to.deep.include({
        sub: id,
        sid: keyId,
        org_id: 'alpha',
        roles: ['worker'],
      });
      const worker = service.as(body.access_token);
      expect(await codeOf(worker.get('/jobs'))).to.equal('200');
      expect(await codeOf(worker.get('/organizations/beta/jobs'))).to.equal('403 organization_access_denied');
      expect(await codeOf(exchange(worker, 'alpha')), 'again').to.equal('403 role_required');
      for (const other of ['beta', 'nobody'])
        expect(await codeOf(exchange(fleet, other))).to.equal('403 organization_access_denied');

      expect((await ofAlpha.delete(`${OF_ALPHA}/${id}`)).status).to.equal(204);
      await isOut(worker);
      expect(await codeOf(exchange(fleet, 'alpha'))).to.equal('403 organization_access_denied');
      const [denied] = await trail(platform, '/admin/audit-logs?limit=1');
      expect(denied).to.equal('organization.access_denied');
    });

    it('lose all that a key brought when it is revoked', async () => {
      const { key, key_id: keyId, service_account_id: id } = await makeFleet();
      await platform.put(`${OF_ALPHA}/${id}`);
      const fleet = await enter(key);
      await until('the admission counts', async () => (await exchange(fleet, 'alpha')).status === 200);
      const worker = service.as((await exchange(fleet, 'alpha')).body.access_token);
      expect(await codeOf(worker.get('/jobs'))).to.equal('200');
      expect((await platform.delete(`${FLEETS}/${id}/keys/${keyId}`)).status).to.equal(204);
      await isOut(worker);
      expect(await codeOf(exchange(fleet, 'alpha'))).to.equal('401 unauthenticated');
    });

    it('have keys that no organization sees or makes', async () => {
      const { service_account_id: id, key_id: keyId } = await makeFleet();
      await ofAlpha.put(`${OF_ALPHA}/${id}`);
      const one = `${OF_ALPHA}/${id}`;
      expect((await ofAlpha.get<ServiceAccountReply>(one)).body).to.include({ fleet: true });
      for (const reply of [
        ofAlpha.get(`${one}/keys`),
        ofAlpha.post(`${one}/keys`),
        ofAlpha.delete(`${one}/keys/${keyId}`),
      ])
        expect(await codeOf(reply)).to.equal('404 service_account_not_found');
      expect((await ofAlpha.delete(one)).status).to.equal(204);
      expect((await platform.get(`${FLEETS}/${id}`)).status, 'for the others').to.equal(200);
    });
  });

  it('are told nothing of a wrong key, and are stopped from trying on, though logins go on', async () => {
    const { key, service_account_id: id } = await make();
    expect(id).to.match(UUID);
    await ofAlpha.delete(`${OF_ALPHA}/${id}`);
    const answers = new Set<string>();
    for (const wrong of [key, `${key}x`, 'mad_sk_', 'x', 'a\tb é😀']) {
      const { status, body } = await tokenFor(wrong);
      answers.add(JSON.stringify([status, body.code, body.detail, Object.keys(body)]));
    }
    expect(answers.size).to.equal(1);
    const statuses: number[] = [];
    for (let n = 0; n <= PER_ADDRESS; n += 1) statuses.push((await tokenFor('mad_sk_wrong')).status);
    expect(statuses.at(-1)).to.equal(429);
    const living = await make();
    expect((await tokenFor(living.key)).status, 'a right key').to.equal(200);
    const login = { email: 'nobody@example.org', password: 'whatever it is' };
    expect(await codeOf(service.call('POST', '/auth/token', { body: login }))).to.equal(
      '401 unauthenticated',
    );
  });

  it('log in with a key or with a password, and name each field that is missing or too many', async () => {
    const paths = async (body: object): Promise<readonly string[]> => {
      const reply = await service.call<Problem>('POST', '/auth/token', { body });
      expect(reply.status, reply.text).to.equal(422);
      return (reply.body.errors ?? []).map(({ path }) => path);
    };
    expect(await paths({})).to.have.members(['email', 'password']);
    expect(await paths({ email: 'a@example.org' })).to.deep.equal(['password']);
    expect(await paths({ password: 'secret' })).to.deep.equal(['email']);
    expect(await paths({ key: 'mad_sk_x', org_id: 'alpha' })).to.deep.equal(['org_id']);
    expect(await paths({ key: 'mad_sk_x', email: 'a@example.org', password: 'x' })).to.have.members([
      'email',
      'password',
    ]);
    for (const key of ['', 7, null, 'x'.repeat(256)]) expect(await paths({ key })).to.deep.equal(['key']);
  });
});
