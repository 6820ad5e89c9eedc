import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import type { OrganizationRole } from '../../domain/identity/role.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { TokenReply } from '../support/access-contract.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { send } from '../support/send.ts';
import { terminateBackends } from '../support/server-faults.ts';

const PASSWORD = 'correct horse battery staple';
/** Of a process that looks for itself. */
const DEADLINE_MS = 2500;
/** Of one that is told: sooner than it would look for itself. */
const TOLD_DEADLINE_MS = 1500;

/** What the feed of changes promises, and a look. */
const TOLD_WITHIN_MS = 1500;

describe('Access that is taken away', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  /** Follows no changes: it looks for itself, every two seconds. */
  let unfed: HttpService;
  let other: HttpProcess;
  let otherUrl: string;
  let passwordHash: string;
  let platform: Caller;
  let administrator: Caller;
  let people = 0;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment);
    unfed = await HttpService.start(deployment);
    await unfed.container.get(TOKENS.changeFeed).close();
    await deployment.register('alpha');
    other = await startHttpProcess({ ...deployment.environment, LOG_LEVEL: 'info' });
    otherUrl = await other.listening();
    passwordHash = await new Argon2Passwords().hash(PASSWORD);
    platform = service.as(deployment.token(null, ['platform_admin']));
    administrator = service.as(deployment.token('alpha', ['org_admin']));
  });
  after(async () => {
    await other.dispose();
    await Promise.all([service.close(), unfed.close()]);
    await deployment.dispose();
  });

  /** A person with a token that is in use in every process. */
  const enter = async (
    roles: readonly OrganizationRole[],
    { platformAdmin = false, path = '/jobs' } = {},
  ) => {
    const email = `person-${(people += 1)}@example.org`;
    const { users, members } = service.container.get(TOKENS.metadataDatabase);
    const { userId } = await users.ensureUser({ email, passwordHash, platformAdmin });
    if (roles.length > 0) {
      await members.add(organizationId('alpha'), userId, roles);
    }
    const { body } = await service.call<TokenReply>('POST', '/auth/token', {
      body: { email, password: PASSWORD },
    });
    const statuses = async (): Promise<readonly number[]> =>
      Promise.all(
        [service.url, unfed.url, otherUrl].map(
          async (url) => (await send(url, 'GET', path, { token: body.access_token })).status,
        ),
      );
    expect(await statuses()).to.deep.equal([200, 200, 200]);
    return { userId, token: body, statuses };
  };
  const soon = async (statuses: () => Promise<readonly number[]>, expected: number): Promise<void> => {
    let seen: readonly number[] = [];
    const answer = async (): Promise<readonly boolean[]> => {
      seen = await statuses();
      return seen.map((status) => status === expected);
    };
    await until(
      () =>
        `processes that are told of changes answer ${expected} (the first and the last of ${seen.join(', ')})`,
      async () => {
        const [first, , third] = await answer();
        return first === true && third === true;
      },
      TOLD_DEADLINE_MS,
    );
    await until(
      () => `every process answers ${expected}, not ${seen.join(', ')}`,
      async () => (await answer()).every(Boolean),
      DEADLINE_MS,
    );
  };

  it('from a removed member is gone within seconds in every process', async () => {
    const { userId, token, statuses } = await enter(['member']);
    const path = `/organizations/alpha/members/${userId}`;
    const removed = await service.call<Problem>('DELETE', path, {
      token: deployment.token('alpha', ['org_admin']),
    });
    expect(removed.status).to.equal(204);
    await soon(statuses, 401);
    const back = await administrator.post<Problem>('/organizations/alpha/members', {
      email: `person-${people}@example.org`,
      roles: ['member'],
    });
    expect(back.status).to.equal(201);
    const again = await service.call('POST', '/auth/refresh', {
      body: { refresh_token: token.refresh_token },
    });
    expect(again.status, 'the old session stays ended').to.equal(401);
  });

  it('from a disabled user is gone within seconds in every process', async () => {
    const { userId, statuses } = await enter(['member']);
    await platform.patch(`/users/${userId}`, { status: 'disabled' });
    await soon(statuses, 401);
  });

  it('from a member with fewer roles is less within seconds in every process', async () => {
    const settings = { path: '/organizations/alpha/settings' };
    const { userId, statuses } = await enter(['org_admin', 'member'], settings);
    await administrator.put(`/organizations/alpha/members/${userId}`, { roles: ['member'] });
    await soon(statuses, 403);
    // What is given again counts for the same token: it was made for it.
    await administrator.put(`/organizations/alpha/members/${userId}`, { roles: ['org_admin'] });
    await soon(statuses, 200);
  });

  it('is no more than the token was made for, whatever roles come later', async () => {
    const { userId, token, statuses } = await enter(['member']);
    await administrator.put(`/organizations/alpha/members/${userId}`, { roles: ['org_admin', 'member'] });
    const { body } = await service.call<TokenReply>('POST', '/auth/refresh', {
      body: { refresh_token: token.refresh_token },
    });
    const settings = '/organizations/alpha/settings';
    expect((await service.as(body.access_token).get(settings)).status).to.equal(200);
    expect((await service.as(token.access_token).get(settings)).status).to.equal(403);
    expect(await statuses()).to.deep.equal([200, 200, 200]);
  });

  it('from a demoted platform administrator is gone within seconds in every process', async () => {
    const { userId, statuses } = await enter([], { platformAdmin: true, path: '/organizations' });
    await platform.patch(`/users/${userId}`, { platform_admin: false });
    await soon(statuses, 401);
  });

  it('by a logout, or another password, is gone within seconds in every process', async () => {
    const first = await enter(['member']);
    const { refresh_token } = first.token;
    await service.call('POST', '/auth/logout', { body: { refresh_token } });
    await soon(first.statuses, 401);
    const second = await enter(['member']);
    await platform.put(`/users/${second.userId}/password`, { password: 'another password' });
    await soon(second.statuses, 401);
  });

  it('by hand in the database is gone within seconds in every process', async () => {
    for (const statement of [
      'delete from memberships where user_id = $1',
      `update users set status = 'disabled' where user_id = $1`,
      'delete from users where user_id = $1',
    ]) {
      const { userId, statuses } = await enter(['member']);
      await deployment.administer(statement, [userId], deployment.metadataDatabase);
      await soon(statuses, 401);
    }
  });

  it('stays what it was while the metadata database is away: who is known is served, who is not gets 503', async () => {
    const known = await enter(['member']);
    const unknown = (await enter(['member'])).token.access_token;
    const fresh = await HttpService.start(deployment);
    const { metadataDatabase } = deployment;
    try {
      // It knows the organization, and none of the two people.
      const warm = deployment.token('alpha', ['member']);
      expect((await send(fresh.url, 'GET', '/jobs', { token: warm })).status).to.equal(200);
      // By then every process has been told of how they came to be, and has looked at them since.
      await sleep(TOLD_WITHIN_MS);
      expect(await known.statuses()).to.deep.equal([200, 200, 200]);
      await deployment.administer(`alter database "${metadataDatabase}" allow_connections false`);
      await terminateBackends(deployment, metadataDatabase);
      expect(await known.statuses()).to.deep.equal([200, 200, 200]);
      const refused = await send<Problem>(fresh.url, 'GET', '/jobs', { token: unknown });
      expect([refused.status, refused.body.code]).to.deep.equal([503, 'database_unavailable']);
      expect((await send(fresh.url, 'GET', '/jobs', { token: warm })).status).to.equal(200);
    } finally {
      await deployment.administer(`alter database "${metadataDatabase}" allow_connections true`);
      await fresh.close();
    }
    await until('everybody is served again', async () =>
      (await known.statuses()).every((status) => status === 200),
    );
    await platform.patch(`/users/${known.userId}`, { status: 'disabled' });
    await until(
      'the feeds are back: it is told of again',
      async () => (await known.statuses()).every((status) => status === 401),
      DEADLINE_MS,
    );
  });

  it('leaves the operator’s tokens alone, which no account stands behind', async () => {
    expect((await platform.get('/organizations')).status).to.equal(200);
    expect(
      (await send(otherUrl, 'GET', '/jobs', { token: deployment.token('alpha', ['worker']) })).status,
    ).to.equal(200);
  });
});
