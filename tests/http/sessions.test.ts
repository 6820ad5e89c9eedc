import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { Client } from 'pg';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import type { TokenReply } from '../support/access-contract.ts';
import { createDeployment, organizationId, TEST_JWT_SECRET, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Page, Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import type { Reply } from '../support/send.ts';

const PASSWORD = 'correct horse battery staple';

describe('Sessions', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  /** Of a test that starts one beside the other. */
  let generous: HttpService | undefined;
  let passwordHash: string;
  let people = 0;

  before(async () => {
    deployment = await createDeployment({ JWT_REFRESH_TTL_SECONDS: '7200' });
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
    passwordHash = await new Argon2Passwords().hash(PASSWORD);
  });
  after(async () => {
    await generous?.close();
    await service.close();
    await deployment.dispose();
  });

  const metadata = <Row>(sql: string, values: readonly unknown[] = []) =>
    deployment.administer<Row>(sql, values, deployment.metadataDatabase);
  const enrol = async (roles: readonly OrganizationRole[] = ['member']) => {
    const email = `person-${(people += 1)}@example.org`;
    const { users, members } = service.container.get(TOKENS.metadataDatabase);
    const { userId } = await users.ensureUser({ email, passwordHash, platformAdmin: false });
    await members.add(organizationId('alpha'), userId, roles);
    return { email, userId };
  };
  const login = async (email: string): Promise<TokenReply> => {
    const { status, body } = await service.call<TokenReply>('POST', '/auth/token', {
      body: { email, password: PASSWORD },
    });
    expect(status).to.equal(200);
    return body;
  };
  const refresh = (refresh_token: string) =>
    service.call<TokenReply & Problem>('POST', '/auth/refresh', { body: { refresh_token } });
  const logout = (refresh_token: string) =>
    service.call<Problem>('POST', '/auth/logout', { body: { refresh_token } });
  /** One that would make tokens of a day, beside sessions of two hours. */
  const startGenerous = async (): Promise<HttpService> => {
    generous ??= await HttpService.start(deployment, [], { JWT_ACCESS_TTL_SECONDS: '86400' });
    return generous;
  };
  const endOf = ({ access_token }: TokenReply): number =>
    Number(jwt.decode(access_token, { json: true })?.exp);
  const sessionEndOf = async (userId: string): Promise<number> => {
    const [row] = await metadata<{ end: number }>(
      'select extract(epoch from expires_at)::float8 as end from sessions where user_id = $1',
      [userId],
    );
    return Number(row?.end);
  };
  const served = async (accessToken: string): Promise<number> =>
    (await service.call('GET', '/jobs', { token: accessToken })).status;
  const refused = ({ status, body }: Reply<Problem>): void => {
    expect([status, body.code]).to.deep.equal([401, 'unauthenticated']);
  };

  it('are prolonged with a refresh token, which brings another and is good once', async () => {
    const { email } = await enrol();
    const first = await login(email);
    expect(first.refresh_expires_in).to.equal(7200);
    const { status, body: second } = await refresh(first.refresh_token);

    expect(status).to.equal(200);
    expect(second.refresh_token).not.to.equal(first.refresh_token);
    expect(second).to.include({ token_type: 'bearer', expires_in: 3600 });
    const [before, after] = [first, second].map((each) => jwt.decode(each.access_token, { json: true }));
    expect(after).to.include({ sub: before?.sub, sid: before?.['sid'], org_id: 'alpha' });
    for (const { access_token } of [first, second]) expect(await served(access_token)).to.equal(200);
    const { status: again } = await refresh(second.refresh_token);
    expect(again).to.equal(200);
  });

  it('bring with each refresh the roles of that moment', async () => {
    const { email, userId } = await enrol();
    const { refresh_token } = await login(email);
    await metadata(`update memberships set roles = '{worker,org_admin}' where user_id = $1`, [userId]);
    const { body } = await refresh(refresh_token);
    expect(jwt.decode(body.access_token, { json: true })?.['roles']).to.have.members(['worker', 'org_admin']);
  });

  it('end for both when a used token comes back, and the trail says so', async () => {
    const { email, userId } = await enrol();
    const other = await login(email);
    const stolen = await login(email);
    const fresh = (await refresh(stolen.refresh_token)).body;

    refused(await refresh(stolen.refresh_token));

    refused(await refresh(fresh.refresh_token));
    for (const { access_token } of [stolen, fresh]) {
      await until('the access tokens are refused', async () => (await served(access_token)) === 401, 3000);
    }
    expect(await served(other.access_token)).to.equal(200);
    expect((await refresh(other.refresh_token)).status).to.equal(200);
    const administrator = service.as(deployment.token('alpha', ['org_admin']));
    const path = '/organizations/alpha/audit-logs?action=session.token_reused';
    const { items } = (await administrator.get<Page<AuditEntry>>(path)).body;
    const sid = jwt.decode(stolen.access_token, { json: true })?.['sid'];
    expect(items.map(({ user_id, entity_id }) => [user_id, entity_id])).to.deep.equal([[userId, sid]]);
    expect(items[0]?.address).to.match(/127\.0\.0\.1$/);
  });

  it('let one of twenty concurrent uses of a token through, and end', async () => {
    const { email } = await enrol();
    const { refresh_token } = await login(email);
    const replies = await Promise.all(Array.from({ length: 20 }, () => refresh(refresh_token)));
    const winners = replies.filter(({ status }) => status === 200);
    expect(winners).to.have.length(1);
    for (const reply of replies.filter((each) => !winners.includes(each))) refused(reply);
    refused(await refresh(winners[0]?.body.refresh_token ?? ''));
  });

  it('end with a logout, which may be repeated and tells nothing', async () => {
    const { email } = await enrol();
    const { access_token, refresh_token } = await login(email);
    expect(await served(access_token)).to.equal(200);
    for (const token of [refresh_token, refresh_token, 'nobody issued this one']) {
      const { status, text } = await logout(token);
      expect([status, text]).to.deep.equal([204, '']);
    }
    refused(await refresh(refresh_token));
    await until('the access token is refused', async () => (await served(access_token)) === 401, 3000);
  });

  it('end at their time, whatever was refreshed meanwhile', async () => {
    const { email, userId } = await enrol();
    const { refresh_token } = await login(email);
    const next = (await refresh(refresh_token)).body;
    await metadata('update sessions set expires_at = now() where user_id = $1', [userId]);
    refused(await refresh(next.refresh_token));
  });

  it('are outlived by no access token that a refresh makes', async () => {
    const { email, userId } = await enrol();
    const { refresh_token } = await login(email);
    await metadata(`update sessions set expires_at = now() + interval '5 seconds' where user_id = $1`, [
      userId,
    ]);
    const { status, body } = await refresh(refresh_token);
    expect(status).to.equal(200);
    expect(endOf(body)).to.be.at.most(await sessionEndOf(userId));
    expect(body.expires_in).to.be.within(0, 5);
  });

  it('are outlived by no access token that a login makes', async () => {
    const { email, userId } = await enrol();
    const { status, body } = await (
      await startGenerous()
    ).call<TokenReply>('POST', '/auth/token', { body: { email, password: PASSWORD } });
    expect(status).to.equal(200);
    expect(endOf(body)).to.be.at.most(await sessionEndOf(userId));
    expect(body.expires_in).to.be.within(7000, 7200);
  });

  it('of disabled users and removed members are not prolonged', async () => {
    for (const statement of [
      `update users set status = 'disabled' where user_id = $1`,
      'delete from memberships where user_id = $1',
      'update identities set must_change = true where user_id = $1',
    ]) {
      const { email, userId } = await enrol();
      const { refresh_token } = await login(email);
      await metadata(statement, [userId]);
      refused(await refresh(refresh_token));
    }
  });

  it('that ended stay so when access tokens are to be good for a shorter time from now on', async () => {
    const longer = await startGenerous();
    const { email, userId } = await enrol();
    const { body } = await longer.call<TokenReply>('POST', '/auth/token', {
      body: { email, password: PASSWORD },
    });
    await logout(body.refresh_token);
    // So long that no token of it could be left, had it been made with the shorter time.
    const [ago, token] = [2 * 3600, body.access_token];
    await metadata(`update sessions set revoked_at = now() - $1 * interval '1 second' where user_id = $2`, [
      ago,
      userId,
    ]);
    const claims = jwt.decode(token, { json: true });
    const old = jwt.sign({ ...claims, iat: Number(claims?.iat) - ago }, TEST_JWT_SECRET);
    expect((await longer.call('GET', '/jobs', { token: old })).status).to.equal(401);
    expect(await served(old)).to.equal(401);
  });

  it('leave no token in the database, only hashes', async () => {
    const { email } = await enrol();
    const first = await login(email);
    const second = (await refresh(first.refresh_token)).body;
    const rows = await metadata<{ text: string }>(
      `select t::text as text from refresh_tokens t union all select s::text from sessions s
       union all select u::text from users u union all select i::text from identities i
       union all select a::text from audit_logs a union all select l::text from login_attempts l`,
    );
    const all = rows.map(({ text }) => text).join('\n');
    expect(all.length).to.be.greaterThan(1000);
    for (const { access_token, refresh_token } of [first, second]) {
      for (const secret of [access_token, refresh_token, Buffer.from(refresh_token).toString('hex')]) {
        expect(all).not.to.include(secret);
      }
    }
    expect(all).not.to.include(PASSWORD);
  });

  it('do not begin with a password that is replaced while the login is under way', async () => {
    const { email, userId } = await enrol();
    const url = new URL(deployment.environment['DB_DATABASE_URL'] ?? '');
    const client = new Client({ connectionString: url.href });
    await client.connect();
    try {
      await client.query('begin');
      await client.query('update identities set password_hash = $1 where user_id = $2', [
        await new Argon2Passwords().hash('another password'),
        userId,
      ]);
      const attempt = service.call<Problem>('POST', '/auth/token', { body: { email, password: PASSWORD } });
      await until('the login waits for the password', async () => {
        const waiting = await metadata(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
      await client.query('commit');
      refused(await attempt);
      expect(await metadata('select from sessions where user_id = $1', [userId])).to.deep.equal([]);
    } finally {
      await client.end();
    }
  });

  it('that ended long ago are forgotten at the next login', async () => {
    const { email, userId } = await enrol();
    await login(email);
    await metadata(`update sessions set expires_at = now() - interval '32 days' where user_id = $1`, [
      userId,
    ]);
    await login(email);
    expect(await metadata('select from sessions where user_id = $1', [userId])).to.have.length(1);
  });
});
