import { expect } from 'chai';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { openTransaction } from '../support/server-faults.ts';
import { HttpService } from '../support/http-service.ts';
import type { Method, Reply } from '../support/send.ts';

interface Token {
  readonly access_token: string;
  readonly expires_in: number;
}

const PASSWORD = 'correct horse battery staple';
const OWN = { 'Sec-Fetch-Site': 'same-origin' };

describe('A session of a browser', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let passwordHash: string;
  let people = 0;

  before(async () => {
    deployment = await createDeployment({}, {});
    service = await HttpService.over(deployment, deployment.start({ TRUSTED_PROXIES: '1' }));
    await deployment.register('alpha', 'beta', 'gamma');
    passwordHash = await new Argon2Passwords().hash(PASSWORD);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const register = async (organizations: readonly string[], platformAdmin = false) => {
    people += 1;
    const email = `person-${people}@example.org`;
    const metadata = service.container.get(TOKENS.metadataDatabase);
    const { userId } = await metadata.users.ensureUser({ email, passwordHash, platformAdmin });
    for (const id of organizations) await metadata.members.add(organizationId(id), userId, ['member']);
    return { email, userId };
  };
  const ask = <Body>(
    method: Method,
    path: string,
    {
      cookie,
      body,
      headers = OWN,
    }: { cookie?: string; body?: object; headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Reply<Body>> =>
    service.call<Body>(method, `/console/session${path}`, {
      headers: { ...headers, ...(cookie !== undefined && { Cookie: cookie }) },
      ...(body && { body }),
    });
  const cookieOf = (reply: Reply<unknown>): string => String(reply.headers['set-cookie']);
  const logIn = async (email: string, cookie?: string): Promise<string> => {
    const body = { email, password: PASSWORD };
    const reply = await ask('POST', '', { body, ...(cookie !== undefined && { cookie }) });
    expect(reply.status).to.equal(204);
    return cookieOf(reply).split(';')[0] ?? '';
  };
  const token = (cookie: string, org_id: string | null) =>
    ask<Token & Problem>('POST', '/token', { cookie, body: { org_id } });
  const claimsOf = ({ access_token }: Token): Record<string, unknown> =>
    JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
  const jobs = async ({ access_token }: Token): Promise<number> =>
    (await service.as(access_token).get('/jobs')).status;

  it('is a cookie that no script sees, no other site has sent, and no other path gets', async () => {
    const { email } = await register(['alpha']);
    const body = { email, password: PASSWORD };
    const plain = cookieOf(await ask('POST', '', { body }));
    expect(plain).to.match(
      /^mad_session=[\w-]{43}; Path=\/console\/session; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    );
    const headers = { ...OWN, 'X-Forwarded-Proto': 'https' };
    expect(cookieOf(await ask('POST', '', { body, headers }))).to.match(/; Secure$/);
  });

  it('makes tokens for each organization of its user, again and again, from any process', async () => {
    const { email, userId } = await register(['alpha', 'beta']);
    const cookie = await logIn(email);
    const made: Token[] = [];
    for (const id of ['alpha', 'beta', 'alpha', 'alpha', 'beta']) made.push((await token(cookie, id)).body);
    expect(made.map((one) => claimsOf(one)['org_id'])).to.deep.equal([
      'alpha',
      'beta',
      'alpha',
      'alpha',
      'beta',
    ]);
    for (const one of made) expect(await jobs(one)).to.equal(200);
    expect(made[0]?.expires_in).to.equal(900);
    const view = await ask<object>('GET', '', { cookie });
    expect(view.body).to.deep.include({
      user: { user_id: userId, email },
      platform_admin: false,
      memberships: [
        { org_id: 'alpha', roles: ['member'] },
        { org_id: 'beta', roles: ['member'] },
      ],
    });
    const other = await HttpService.over(deployment, deployment.start());
    const elsewhere = await other.call<Token>('POST', '/console/session/token', {
      headers: { ...OWN, Cookie: cookie },
      body: { org_id: 'alpha' },
    });
    await other.close();
    expect(elsewhere.status).to.equal(200);
  });

  it('makes none for an organization that its user is no member of, or that there is not, all alike', async () => {
    const cookie = await logIn((await register(['alpha'])).email);
    const refusals = [await token(cookie, 'gamma'), await token(cookie, 'nobody')];
    for (const { status, body } of refusals)
      expect([status, body.code, body.detail]).to.deep.equal([
        403,
        'organization_access_denied',
        refusals[0]?.body.detail,
      ]);
    const platform = await token(cookie, null);
    expect([platform.status, platform.body.code]).to.deep.equal([403, 'role_required']);
    const operator = await logIn((await register([], true)).email);
    expect(claimsOf((await token(operator, null)).body)['roles']).to.deep.equal(['platform_admin']);
  });

  it('is for pages of this service alone', async () => {
    const cookie = await logIn((await register(['alpha'])).email);
    const host = new URL(service.url).host;
    const from = async (method: Method, headers: Readonly<Record<string, string>>) =>
      (
        await ask(method, method === 'GET' ? '' : '/token', {
          cookie,
          headers,
          ...(method === 'POST' && { body: { org_id: 'alpha' } }),
        })
      ).status;
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'none' },
      { 'Sec-Fetch-Site': 'cross-site', Origin: `http://${host}` },
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
      { Origin: `http://${host}.evil.example` },
      { Origin: 'http://127.0.0.1:1' },
    ]) {
      expect(await from('POST', headers), JSON.stringify(headers)).to.equal(403);
      expect(await from('GET', headers), JSON.stringify(headers)).to.equal(403);
    }
    expect(await from('POST', {})).to.equal(403);
    for (const headers of [OWN, { Origin: `http://${host}` }])
      expect(await from('POST', headers)).to.equal(200);
    expect(await from('GET', {}), 'a read by plain http').to.equal(200);
  });

  it('ends with all its tokens, in a second, when it is ended', async () => {
    const cookie = await logIn((await register(['alpha'])).email);
    const { body } = await token(cookie, 'alpha');
    expect(await jobs(body)).to.equal(200);
    const ended = await ask('DELETE', '', { cookie });
    expect(ended.status).to.equal(204);
    expect(cookieOf(ended)).to.match(/^mad_session=; .*Max-Age=0/);
    expect((await token(cookie, 'alpha')).status).to.equal(401);
    await until('its token is refused', async () => (await jobs(body)) === 401);
    expect((await ask('DELETE', '', { cookie })).status, 'again').to.equal(204);
  });

  it('ends when somebody logs in in the same browser, and not when somebody tries to', async () => {
    const before = await logIn((await register(['alpha'])).email);
    const { body } = await token(before, 'alpha');
    const other = await register(['beta']);
    const wrong = { email: other.email, password: 'a wrong password' };
    expect((await ask('POST', '', { cookie: before, body: wrong })).status).to.equal(401);
    expect((await token(before, 'alpha')).status).to.equal(200);
    const after = await logIn(other.email, before);
    expect((await token(before, 'alpha')).status).to.equal(401);
    await until('its token is refused', async () => (await jobs(body)) === 401);
    expect((await token(after, 'beta')).status).to.equal(200);
  });

  it('ends for a login of another user while an administrator ends all sessions of its own', async () => {
    const [ada, bob] = [await register(['alpha']), await register(['alpha'])];
    const before = await logIn(ada.email);
    const platform = service.as(deployment.token(null, ['platform_admin']));
    // The trail of the platform has begun.
    expect((await platform.patch(`/users/${bob.userId}`, { status: 'active' })).status).to.equal(200);
    const waiting = (count: number) =>
      until(`${count} wait for the trail`, async () => {
        const rows = await deployment.metadata(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length === count;
      });
    const gate = await openTransaction(
      deployment,
      deployment.metadataDatabase,
      `select from audit_chains where chain = '' for update`,
    );
    const body = { email: bob.email, password: PASSWORD, new_password: 'another horse battery staple' };
    let answers: readonly [Reply<unknown>, Reply<unknown>];
    try {
      // Its own sessions have ended, and it writes that to the trail.
      const login = ask('POST', '', { cookie: before, body });
      await waiting(1);
      // Holds the sessions that it ends, and comes to the trail after the login.
      const ending = platform.delete(`/users/${ada.userId}/sessions`);
      await waiting(2);
      await gate.rollBack();
      answers = await Promise.all([login, ending]);
    } finally {
      await gate.rollBack();
    }
    expect(answers.map(({ status }) => status)).to.deep.equal([204, 204]);
    expect((await token(before, 'alpha')).status).to.equal(401);
    expect((await token(cookieOf(answers[0]).split(';')[0] ?? '', 'alpha')).status).to.equal(200);
  });

  it('is never one of two that the browser sends: a site beside this one can set the other', async () => {
    const { email } = await register(['alpha']);
    const own = await logIn(email);
    const planted = await logIn((await register(['alpha'])).email);
    for (const cookie of [`${planted}; ${own}`, `${own}; theme=dark; ${planted}`]) {
      for (const { status, body } of [
        await token(cookie, 'alpha'),
        await ask<Problem>('GET', '', { cookie }),
        await ask<Problem>('DELETE', '', { cookie }),
        await ask<Problem>('POST', '', { cookie, body: { email, password: PASSWORD } }),
      ])
        expect([status, body.code]).to.deep.equal([400, 'ambiguous_session']);
    }
    for (const cookie of [
      `${own}; ${own}`,
      `mad_session=none; ${own}`,
      `${own}; xmad_session=${'a'.repeat(43)}`,
    ])
      expect((await token(cookie, 'alpha')).status, cookie).to.equal(200);
    expect((await token(planted, 'alpha')).status, 'none was ended').to.equal(200);
  });

  it('ends with the password, the account, idleness and age', async () => {
    const ends = async (
      change: (userId: string) => Promise<unknown>,
      platformAdmin = false,
    ): Promise<boolean> => {
      const { email, userId } = await register(['alpha'], platformAdmin);
      const cookie = await logIn(email);
      expect((await token(cookie, 'alpha')).status).to.equal(200);
      await change(userId);
      return (await token(cookie, 'alpha')).status === 401;
    };
    const idle = (hours: number) => (userId: string) =>
      deployment.metadata(
        `update browser_sessions b set used_at = now() - make_interval(mins => $2) from sessions s
         where s.session_id = b.session_id and s.user_id = $1`,
        userId,
        hours * 60,
      );
    const { users, sessions } = service.container.get(TOKENS.metadataDatabase);
    expect(await ends((userId) => sessions.revokeAll(userId))).to.equal(true);
    expect(await ends((userId) => users.change(userId, { active: false }))).to.equal(true);
    expect(await ends((userId) => users.change(userId, { mustChangePassword: true }))).to.equal(true);
    expect(await ends(idle(7))).to.equal(false);
    expect(await ends(idle(9))).to.equal(true);
    expect(await ends(idle(0.5), true)).to.equal(false);
    expect(await ends(idle(2), true)).to.equal(true);
    const old = (userId: string) =>
      deployment.metadata('update sessions set expires_at = now() where user_id = $1', userId);
    expect(await ends(old)).to.equal(true);
  });

  it('gives a token that says so when the password is given again', async () => {
    const cookie = await logIn((await register(['alpha'])).email);
    await deployment.metadata(`update sessions set expires_at = expires_at - interval '1 hour'`);
    // Of the login.
    const before = claimsOf((await token(cookie, 'alpha')).body)['auth_time'];
    expect(Number(before)).to.be.closeTo(Date.now() / 1000 - 3600, 60);
    const confirm = (password: string) =>
      ask<Token & Problem>('POST', '/confirm', { cookie, body: { org_id: 'alpha', password } });
    const { body } = await confirm(PASSWORD);
    expect(Number(claimsOf(body)['auth_time'])).to.be.closeTo(Date.now() / 1000, 60);
    expect(await jobs(body)).to.equal(200);
    const wrong = await confirm('a wrong password');
    expect([wrong.status, wrong.body.errors?.[0]?.path]).to.deep.equal([422, 'password']);
  });

  it('is refused for every cause alike, and counted as a login is', async () => {
    const { email } = await register([]);
    const answers = [];
    for (const body of [
      { email, password: PASSWORD },
      { email, password: 'a wrong password' },
      { email: 'nobody@example.org', password: PASSWORD },
    ]) {
      const { status, body: problem } = await ask<Problem>('POST', '', { body });
      answers.push([status, problem.code, problem.detail]);
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).to.equal(1);
    expect(answers[0]?.[0]).to.equal(401);
    const limited = await register(['alpha']);
    const statuses: number[] = [];
    for (let n = 0; n < 11; n += 1)
      statuses.push(
        (await ask('POST', '', { body: { email: limited.email, password: 'a wrong one' } })).status,
      );
    expect(statuses.at(-1)).to.equal(429);
  });

  it('takes no cookie of another form, and no body of another shape', async () => {
    for (const cookie of [
      'mad_session=',
      'mad_session=short',
      'xmad_session=' + 'a'.repeat(43),
      'mad_session=' + 'a'.repeat(43),
    ])
      expect((await token(cookie, 'alpha')).status, cookie).to.equal(401);
    for (const body of [
      {},
      { org_id: 'Alpha' },
      { org_id: 'a\u0000b' },
      { org_id: 'alpha', more: 1 },
      { org_id: 1 },
    ])
      expect((await ask('POST', '/token', { body })).status, JSON.stringify(body)).to.equal(422);
    for (const body of [
      { email: 'a' },
      { email: 'a', password: '' },
      { email: 'a', password: 'b', org_id: 'alpha' },
    ])
      expect((await ask('POST', '', { body })).status, JSON.stringify(body)).to.equal(422);
  });
});
