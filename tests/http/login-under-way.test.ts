import { expect } from 'chai';
import { Client } from 'pg';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { TokenReply } from '../support/access-contract.ts';
import { decorate } from '../support/decorate.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { Gate, until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const PASSWORD = 'correct horse battery staple';
const OTHER_PASSWORD = 'staple battery horse correct';

describe('A login under way', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let platform: Caller;
  let passwordHash: string;
  let people = 0;
  /** Where the next comparison of a password waits, after it was made. */
  let gate: Gate | null = null;

  before(async () => {
    deployment = await createDeployment();
    const container = deployment.start();
    decorate(container, TOKENS.passwords, (passwords) => ({
      verify: async (password, hash) => {
        const matches = await passwords.verify(password, hash);
        await gate?.pass();
        return matches;
      },
    }));
    service = await HttpService.over(deployment, container);
    await deployment.register('alpha');
    platform = service.as(deployment.token(null, ['platform_admin']));
    passwordHash = await new Argon2Passwords().hash(PASSWORD);
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });
  beforeEach(() => {
    gate = null;
  });

  const enrol = async ({ platformAdmin = false } = {}) => {
    const email = `person-${(people += 1)}@example.org`;
    const { users, members } = service.container.get(TOKENS.metadataDatabase);
    const { userId } = await users.ensureUser({ email, passwordHash, platformAdmin });
    if (!platformAdmin) await members.add(organizationId('alpha'), userId, ['member', 'org_admin']);
    return { email, userId };
  };
  const login = (body: object) => service.call<TokenReply & Problem>('POST', '/auth/token', { body });
  const openSessions = async (userId: string): Promise<number> => {
    const rows = await deployment.metadata(
      'select from sessions where user_id = $1 and revoked_at is null',
      userId,
    );
    return rows.length;
  };
  /** Logs in, and does something while the right password is being compared. */
  const during = async (body: object, meanwhile: () => Promise<{ readonly status: number }>) => {
    gate = new Gate();
    const answer = login(body);
    await gate.reached;
    expect((await meanwhile()).status).to.be.within(200, 299);
    gate.open();
    return answer;
  };
  const remove = (path: string) =>
    service.call('DELETE', path, { token: deployment.token('alpha', ['org_admin']) });

  const CHANGES: readonly (readonly [
    string,
    (userId: string) => Promise<{ readonly status: number }>,
    string,
  ])[] = [
    [
      'a password that has to be changed',
      (userId) => platform.patch(`/users/${userId}`, { must_change_password: true }),
      '403 password_change_required',
    ],
    [
      'a disabled user',
      (userId) => platform.patch(`/users/${userId}`, { status: 'disabled' }),
      '401 unauthenticated',
    ],
    [
      'another password',
      (userId) => platform.put(`/users/${userId}/password`, { password: OTHER_PASSWORD }),
      '401 unauthenticated',
    ],
    [
      'a removed membership',
      (userId) => remove(`/organizations/alpha/members/${userId}`),
      '401 unauthenticated',
    ],
  ];
  for (const [what, change, expected] of CHANGES) {
    it(`finds ${what}, and opens no session`, async () => {
      const { email, userId } = await enrol();
      const { status, body } = await during({ email, password: PASSWORD }, () => change(userId));
      expect(`${status} ${body.code}`).to.equal(expected);
      expect(await openSessions(userId)).to.equal(0);
    });
  }

  it('finds that its user administers the platform no more', async () => {
    const { email, userId } = await enrol({ platformAdmin: true });
    const { status } = await during({ email, password: PASSWORD }, () =>
      platform.patch(`/users/${userId}`, { platform_admin: false }),
    );
    expect([status, await openSessions(userId)]).to.deep.equal([401, 0]);
  });

  it('gets the roles that the user has by now', async () => {
    const { email, userId } = await enrol();
    const { body } = await during({ email, password: PASSWORD }, () =>
      platform.put(`/organizations/alpha/members/${userId}`, { roles: ['member'] }),
    );
    expect((await service.as(body.access_token).get('/jobs')).status).to.equal(200);
    await platform.put(`/organizations/alpha/members/${userId}`, { roles: ['member', 'org_admin'] });
    const settings = await service.as(body.access_token).get<Problem>('/organizations/alpha/settings');
    expect(settings.body.code, 'a role that the token was not made for').to.equal('role_required');
  });

  it('replaces no password of a user who was disabled meanwhile', async () => {
    const { email, userId } = await enrol();
    const { body } = await login({ email, password: PASSWORD });
    gate = new Gate();
    const answer = service
      .as(body.access_token)
      .put<Problem>('/users/me/password', { password: PASSWORD, new_password: OTHER_PASSWORD });
    await gate.reached;
    await platform.patch(`/users/${userId}`, { status: 'disabled' });
    gate.open();
    expect((await answer).status).to.equal(401);
    gate = null;
    await platform.patch(`/users/${userId}`, { status: 'active' });
    expect((await login({ email, password: PASSWORD })).status, 'the password').to.equal(200);
  });

  it('that opens its session just before the change has it ended by the change', async () => {
    const { email, userId } = await enrol();
    const client = new Client({ connectionString: deployment.environment['DB_DATABASE_URL'] ?? '' });
    await client.connect();
    const waiting = async (count: number): Promise<boolean> => {
      const rows = await deployment.metadata(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length === count;
    };
    try {
      await client.query('begin; lock table sessions in share mode');
      const answer = login({ email, password: PASSWORD });
      await until('the login waits with its session', () => waiting(1));
      const change = platform.patch(`/users/${userId}`, { must_change_password: true });
      await until('the change waits for the login', () => waiting(2));
      await client.query('commit');
      expect([(await answer).status, (await change).status]).to.deep.equal([200, 200]);
    } finally {
      await client.end();
    }
    expect(await openSessions(userId)).to.equal(0);
  });
});
