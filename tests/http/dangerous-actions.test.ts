import { expect } from 'chai';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Page, Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { sampleBodyOf, samplePathOf } from '../support/route-samples.ts';
import type { Method } from '../support/send.ts';

interface Token {
  readonly access_token: string;
}
interface Session {
  readonly session_id: string;
  readonly kind: string;
  readonly org_id: string | null;
}

const PASSWORD = 'correct horse battery staple';
const OWN = { 'Sec-Fetch-Site': 'same-origin' };
/** That nobody has. */
const ID = '00000000-0000-4000-8000-00000000abcd';

/** What cannot be taken back, written down apart from the routes that say so. */
const DANGEROUS = [
  'changeUser',
  'setPassword',
  'endUserSessions',
  'endUserSession',
  'retireDatabase',
  'rollBackMigrationRun',
  'removeServiceAccount',
  'removeFleet',
  'revokeServiceAccountKey',
  'revokeFleetKey',
  'linkIdentity',
  'createServiceAccount',
  'createFleet',
  'addServiceAccountKey',
  'addFleetKey',
];
/** These are not for operators. */
const OF_ORGANIZATIONS = ['createServiceAccount', 'addServiceAccountKey', 'revokeServiceAccountKey'];

describe('What cannot be taken back', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;
  let passwordHash: string;
  let people = 0;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment);
    await deployment.register('alpha', 'beta');
    platform = service.as(deployment.token(null, ['platform_admin']));
    passwordHash = await new Argon2Passwords().hash(PASSWORD);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const register = async (platformAdmin = false) => {
    people += 1;
    const email = `person-${people}@example.org`;
    const { users } = service.container.get(TOKENS.metadataDatabase);
    const { userId } = await users.ensureUser({ email, passwordHash, platformAdmin });
    return { email, userId };
  };
  const logIn = async (email: string): Promise<string> => {
    const { headers } = await service.call('POST', '/console/session', {
      headers: OWN,
      body: { email, password: PASSWORD },
    });
    return String(headers['set-cookie']).split(';')[0] ?? '';
  };
  const tokenOf = async (cookie: string, path: '/token' | '/confirm' = '/token'): Promise<string> => {
    const { body } = await service.call<Token>('POST', `/console/session${path}`, {
      headers: { ...OWN, Cookie: cookie },
      body: { org_id: null, ...(path === '/confirm' && { password: PASSWORD }) },
    });
    return body.access_token;
  };
  const lastEntry = async (action: string): Promise<AuditEntry | undefined> =>
    (await platform.get<Page<AuditEntry>>(`/admin/audit-logs?scope=all&action=${action}&limit=1`)).body
      .items[0];

  it('asks in a browser for the password of the last five minutes, and of other tokens nothing', async () => {
    expect(service.routes.filter(({ isDangerous }) => isDangerous).map(({ name }) => name)).to.have.members(
      DANGEROUS,
    );
    const operator = await register(true);
    const cookie = await logIn(operator.email);
    const ask = async (name: string, token: string): Promise<string | undefined> => {
      const route = service.routes.find((each) => each.name === name);
      if (route === undefined) throw new Error(`there is no route ${name}`);
      const body = sampleBodyOf(route);
      const path = samplePathOf(route, 'alpha', ID).replace('{session_id}', ID);
      const method = route.method.toUpperCase() as Method;
      return (await service.call<Problem | null>(method, path, { token, ...(body && { body }) })).body?.code;
    };
    // Whoever has just logged in has just given it.
    expect(await ask('endUserSessions', await tokenOf(cookie))).to.equal('user_not_found');
    await deployment.metadata(
      `update sessions set expires_at = expires_at - interval '301 seconds' where user_id = $1`,
      operator.userId,
    );
    const old = await tokenOf(cookie);
    const ofPlatform = DANGEROUS.filter((name) => !OF_ORGANIZATIONS.includes(name));
    for (const name of ofPlatform) expect(await ask(name, old), name).to.equal('confirmation_required');
    const fresh = await tokenOf(cookie, '/confirm');
    const program = deployment.token(null, ['platform_admin']);
    for (const name of ofPlatform.filter((each) => each !== 'createFleet'))
      for (const token of [fresh, program])
        expect(await ask(name, token), name).to.match(/^(?!confirmation|role|unauth)\w+_(?:found|conflict)$/);
    // What can be taken back asks for nothing.
    const { status } = await service.as(old).post('/organizations/beta/suspend');
    expect(status).to.equal(200);
    await service.as(old).post('/organizations/beta/resume');
  });

  it('asks for the password before it makes a way around it: an operator or a key, and no other account', async () => {
    const operator = await register(true);
    const cookie = await logIn(operator.email);
    await deployment.metadata(
      `update sessions set expires_at = expires_at - interval '301 seconds' where user_id = $1`,
      operator.userId,
    );
    const old = service.as(await tokenOf(cookie));
    const another = { email: 'another-operator@example.org', platform_admin: true, password: PASSWORD };
    const refused = await old.post<Problem>('/users', another);
    expect([refused.status, refused.body.code]).to.deep.equal([403, 'confirmation_required']);
    expect((await old.post('/users', { email: 'no-operator@example.org' })).status).to.equal(201);
    const fresh = service.as(await tokenOf(cookie, '/confirm'));
    expect((await fresh.post('/users', another)).status).to.equal(201);
    expect((await fresh.post('/admin/service-accounts', { name: 'workers' })).status).to.equal(201);
  });

  it('leaves the reason in the trail, in any language, as everything does that is done for one', async () => {
    const { userId } = await register();
    const reason = 'left the lab, ticket 4711 · verließ das Labor';
    const headers = { 'Audit-Reason': encodeURIComponent(reason) };
    expect((await platform.patch(`/users/${userId}`, { status: 'disabled' }, headers)).status).to.equal(200);
    expect((await lastEntry('user.changed'))?.details).to.include({ reason });
    await platform.post('/organizations/beta/suspend', undefined, { 'Audit-Reason': 'unpaid' });
    expect((await lastEntry('organization.suspended'))?.details).to.deep.equal({
      before: 'active',
      after: 'suspended',
      reason: 'unpaid',
    });
    await platform.post('/organizations/beta/resume');
    expect((await lastEntry('organization.resumed'))?.details).not.to.have.property('reason');
  });

  it('leaves it there also of what is written in an organization’s own database', async () => {
    const member = service.as(deployment.token('alpha', ['member']));
    const job = { engine: 'vina', inputs: { ligand: 'CCO' } };
    const relay = service.container.get(TOKENS.outboxRelay);
    relay.start();
    try {
      expect((await member.post('/jobs', job, { 'Audit-Reason': 'asked%20for' })).status).to.equal(201);
      await until('the entry is delivered', async () => (await lastEntry('job.submitted')) !== undefined);
      expect((await lastEntry('job.submitted'))?.details).to.include({ engine: 'vina', reason: 'asked for' });
    } finally {
      await relay.close();
    }
  });

  it('takes no reason that could not be shown, and does nothing then', async () => {
    for (const reason of ['%E0%A4%A', 'a%0Ab', 'x'.repeat(501), encodeURIComponent('\u202e'), 'caf\u00e9']) {
      const { status, body } = await platform.post<Problem>('/organizations/beta/suspend', undefined, {
        'Audit-Reason': reason,
      });
      expect([status, body.errors?.[0]?.path], reason).to.deep.equal([422, 'Audit-Reason']);
    }
    expect((await platform.get<{ status: string }>('/organizations/beta')).body.status).to.equal('active');
  });

  it('does nothing for a caller whose view is out of date', async () => {
    const conflict = async (reply: Promise<{ readonly body: Problem; readonly status: number }>) => {
      const { status, body } = await reply;
      expect([status, body.code], JSON.stringify(body)).to.deep.equal([409, 'state_conflict']);
    };
    const { post, patch, get } = platform;
    await conflict(post('/organizations/beta/suspend?seen_status=suspended'));
    await conflict(post('/organizations/beta/resume?seen_status=suspended'));
    expect((await get<{ status: string }>('/organizations/beta')).body.status).to.equal('active');
    expect((await post('/organizations/beta/suspend?seen_status=active')).status).to.equal(200);
    await conflict(post('/organizations/beta/suspend?seen_status=active'));
    await conflict(post('/organizations/beta/resume?seen_status=active'));
    expect((await post('/organizations/beta/suspend')).status, 'without a view, as ever').to.equal(200);
    expect((await post('/organizations/beta/resume?seen_status=suspended')).status).to.equal(200);

    const { userId } = await register();
    const seen = { status: 'active', platform_admin: false, must_change_password: false };
    expect((await patch(`/users/${userId}`, { status: 'disabled', seen })).status).to.equal(200);
    await conflict(patch(`/users/${userId}`, { platform_admin: true, seen }));
    expect((await get(`/users/${userId}`)).body).to.include({ status: 'disabled', platform_admin: false });

    await service.container.get(TOKENS.useCases).registerServers();
    const changed = await patch('/admin/servers/default', { weight: 90, seen_status: 'active' });
    expect(changed.status).to.equal(200);
    await conflict(patch('/admin/servers/default', { weight: 80, seen_status: 'draining' }));
    expect((await get('/admin/servers/default')).body).to.include({ weight: 90 });
  });

  it('puts the database aside that the operator saw, and no other', async () => {
    await platform.post('/admin/databases/alpha/provision');
    const path = '/admin/databases/alpha';
    const { generation, database } = (await platform.get<{ generation: number; database: string }>(path))
      .body;
    const retire = (seen: number) =>
      platform.post<{ renamed_to: string } & Problem>(
        `${path}/retire`,
        { seen_generation: seen },
        { 'Audit-Reason': 'to%20be%20restored%20elsewhere' },
      );
    const late = await retire(generation + 1);
    expect([late.status, late.body.code]).to.deep.equal([409, 'state_conflict']);
    expect(await lastEntry('database.retirement_requested')).to.equal(undefined);
    expect(await deployment.databases()).to.include(database);

    const { status, body } = await retire(generation);
    expect(status, JSON.stringify(body)).to.equal(200);
    expect(await deployment.databases())
      .to.include(body.renamed_to)
      .and.not.to.include(database);
    const entry = await lastEntry('database.retirement_requested');
    expect(entry?.details).to.deep.equal({
      server_id: 'default',
      generation,
      reason: 'to be restored elsewhere',
    });
    expect(entry?.user_id).to.equal('user-1');
    expect((await retire(generation)).status, 'a second time').to.equal(409);
    expect((await service.as(deployment.token('alpha', ['member'])).get('/jobs')).status).to.equal(200);
    expect((await platform.get(path)).body).to.include({ generation: generation + 1, state: 'ready' });
  });

  it('ends one session of a user, or all of them, with their tokens', async () => {
    const { email, userId } = await register(true);
    const path = `/users/${userId}/sessions`;
    const sessions = async () => (await platform.get<{ items: readonly Session[] }>(path)).body.items;
    const [first, second] = [await tokenOf(await logIn(email)), await tokenOf(await logIn(email))];
    const login = await service.call<Token>('POST', '/auth/token', { body: { email, password: PASSWORD } });
    const listed = await sessions();
    expect(listed.map(({ kind }) => kind)).to.have.members(['browser', 'browser', 'tokens']);
    const reads = async (token: string) => (await service.as(token).get('/organizations?limit=1')).status;
    for (const token of [first, second, login.body.access_token]) expect(await reads(token)).to.equal(200);

    const tokens = listed.find(({ kind }) => kind === 'tokens')?.session_id ?? '';
    expect((await platform.delete(`${path}/${tokens}`)).status).to.equal(204);
    const again = await platform.delete<Problem>(`${path}/${tokens}`);
    expect([again.status, again.body.code]).to.deep.equal([404, 'session_not_found']);
    await until('its token is refused', async () => (await reads(login.body.access_token)) === 401);
    expect(await reads(first)).to.equal(200);
    expect(await sessions()).to.have.length(2);

    await deployment.metadata(
      `insert into sessions (session_id, user_id, created_at, expires_at)
       select gen_random_uuid(), $1, now() + interval '1 minute', now() + interval '1 hour' from generate_series(1, 100)`,
      userId,
    );
    const [hidden = ''] = listed.flatMap(({ kind, session_id }) => (kind === 'browser' ? [session_id] : []));
    expect(await sessions(), 'more than are listed').to.have.length(100);
    expect((await platform.delete(`${path}/${hidden}`)).status).to.equal(204);
    const { userId: other } = await register(false);
    const theirs = (await sessions())[0]?.session_id ?? '';
    expect((await platform.delete<Problem>(`/users/${other}/sessions/${theirs}`)).status).to.equal(404);

    expect((await platform.delete(path)).status).to.equal(204);
    for (const token of [first, second])
      await until('no token is good', async () => (await reads(token)) === 401);
    expect(await sessions()).to.deep.equal([]);
    expect((await lastEntry('user.sessions_ended'))?.details).to.deep.equal({ sessions: 101 });
    expect((await platform.delete<Problem>(`/users/${ID}/sessions`)).body.code).to.equal('user_not_found');
  });
});
