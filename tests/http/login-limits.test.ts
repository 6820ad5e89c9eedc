import { expect } from 'chai';
import { Argon2Passwords } from '../../adapters/argon2/argon2-passwords.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { TokenReply } from '../support/access-contract.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';

const PASSWORD = 'correct horse battery staple';
const PER_ACCOUNT = 5;
const PER_ADDRESS = 40;

describe('Guessing passwords', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  /** Behind a proxy that says where a request comes from. */
  let service: HttpService;
  let second: HttpService;
  let addresses = 0;
  let people = 0;

  before(async () => {
    deployment = await createDeployment({
      LOGIN_ATTEMPTS_PER_ACCOUNT: String(PER_ACCOUNT),
      LOGIN_ATTEMPTS_PER_ADDRESS: String(PER_ADDRESS),
      TRUSTED_PROXIES: '1',
    });
    service = await HttpService.start(deployment);
    second = await HttpService.start(deployment);
    await deployment.register('alpha');
  });
  after(async () => {
    await Promise.all([service.close(), second.close()]);
    await deployment.dispose();
  });

  const enrol = async (name = 'person'): Promise<string> => {
    const email = `${name}-${(people += 1)}@example.org`;
    const { users, members } = service.container.get(TOKENS.metadataDatabase);
    const passwordHash = await new Argon2Passwords().hash(PASSWORD);
    const { userId } = await users.ensureUser({ email, passwordHash, platformAdmin: false });
    await members.add(organizationId('alpha'), userId, ['member']);
    return email;
  };
  const newAddress = (): string => `10.0.${Math.floor((addresses += 1) / 250)}.${addresses % 250}`;
  const login = (email: string, password: string, address = newAddress(), at = service) =>
    at.call<TokenReply & Problem>('POST', '/auth/token', {
      body: { email, password },
      headers: { 'X-Forwarded-For': address },
    });
  const statuses = async (calls: readonly Promise<{ readonly status: number }>[]) =>
    (await Promise.all(calls)).map(({ status }) => status);

  it('of one account ends after so many attempts, from wherever and in whichever process', async () => {
    const email = await enrol();
    for (let n = 0; n < PER_ACCOUNT; n += 1) {
      const at = n % 2 === 0 ? service : second;
      expect(
        (await login(n % 2 === 0 ? email : email.toUpperCase(), 'wrong', newAddress(), at)).status,
      ).to.equal(401);
    }
    for (const at of [service, second]) {
      const reply = await login(email, PASSWORD, newAddress(), at);
      expect([reply.status, reply.body.code]).to.deep.equal([429, 'too_many_attempts']);
      expect(Number(reply.headers['retry-after'])).to.be.within(1, 900);
    }
    expect((await login(await enrol(), PASSWORD)).status, 'others log in').to.equal(200);
  });

  it('counts every spelling that finds an account for that account, and finds it by no other', async () => {
    const email = await enrol('kim-i');
    const spellings = [email.toUpperCase(), email.replace('k', '\u212a'), email.replace('kim', 'ｋｉｍ')];
    for (const spelling of spellings)
      expect((await login(spelling, PASSWORD)).status, spelling).to.equal(200);
    for (let n = 0; n < PER_ACCOUNT; n += 1) {
      const spelling = spellings[n % spellings.length] ?? email;
      expect((await login(spelling, 'wrong')).status, spelling).to.equal(401);
    }
    for (const spelling of [email, ...spellings])
      expect((await login(spelling, PASSWORD)).status, spelling).to.equal(429);
    // PostgreSQL folds these to `i` in some locales, and JavaScript does not.
    for (const spelling of [email.replace('i', 'İ'), email.replace('i', 'ı')])
      expect((await login(spelling, PASSWORD)).status, spelling).to.equal(401);
  });

  it('ends alike for an account that nobody has', async () => {
    const [known, unknown] = [await enrol(), 'nobody@example.org'];
    const answers = [];
    for (const email of [known, unknown]) {
      const replies = [];
      for (let n = 0; n < PER_ACCOUNT + 2; n += 1) replies.push(await login(email, 'wrong'));
      answers.push(replies.map(({ status, text, body }) => [status, text.replaceAll(body.request_id, 'ID')]));
    }
    expect(answers[0]).to.deep.equal(answers[1]);
    expect(answers[0]?.at(-1)?.[0]).to.equal(429);
  });

  it('lets no more through when all attempts come at once', async () => {
    const email = await enrol();
    const calls = Array.from({ length: 30 }, (_, n) =>
      login(email, 'wrong', newAddress(), n % 2 === 0 ? service : second),
    );
    const seen = await statuses(calls);
    expect(seen.filter((status) => status === 401)).to.have.length(PER_ACCOUNT);
    expect(seen.filter((status) => status === 429)).to.have.length(30 - PER_ACCOUNT);
  });

  it('from one address ends after so many attempts, on whatever accounts', async () => {
    const address = newAddress();
    const calls = Array.from({ length: PER_ADDRESS + 5 }, (_, n) =>
      login(`guess-${n}@example.org`, 'wrong', address, n % 2 === 0 ? service : second),
    );
    const seen = await statuses(calls);
    expect(seen.filter((status) => status === 429)).to.have.length(5);
    const email = await enrol();
    expect((await login(email, PASSWORD, address)).status).to.equal(429);
    expect((await login(email, PASSWORD)).status, 'from elsewhere').to.equal(200);
  });

  it('counts the addresses of one IPv6 network together', async () => {
    const calls = Array.from({ length: PER_ADDRESS + 5 }, (_, n) =>
      login(`guess6-${n}@example.org`, 'wrong', `2001:db8:0:7::${n.toString(16)}`),
    );
    expect((await statuses(calls)).filter((status) => status === 429)).to.have.length(5);
    expect((await login('guess6@example.org', 'wrong', '2001:db8:0:8::1')).status).to.equal(401);
  });

  it('believes the nearest proxy alone, so that nobody makes addresses up', async () => {
    const address = newAddress();
    const calls = Array.from({ length: PER_ADDRESS + 3 }, (_, n) =>
      login(`spoof-${n}@example.org`, 'wrong', `192.0.2.${n}, ${address}`),
    );
    expect((await statuses(calls)).filter((status) => status === 429)).to.have.length(3);
  });

  it('without a proxy believes no header at all', async () => {
    const bare = await HttpService.start(deployment, [], {
      TRUSTED_PROXIES: '0',
      LOGIN_ATTEMPTS_PER_ADDRESS: '3',
    });
    try {
      const calls = [1, 2, 3, 4, 5].map((n) => login(`bare-${n}@example.org`, 'wrong', newAddress(), bare));
      expect(await statuses(calls)).to.have.members([401, 401, 401, 429, 429]);
    } finally {
      await bare.close();
    }
  });

  it('is no matter for who knows the password, however often', async () => {
    const email = await enrol();
    const address = newAddress();
    for (let n = 0; n < PER_ACCOUNT; n += 1) {
      if (n > 0) expect((await login(email, 'wrong', address)).status).to.equal(401);
      expect((await login(email, PASSWORD, address)).status).to.equal(200);
    }
  });

  it('through the change of a password is limited like a login', async () => {
    const email = await enrol();
    const { body } = await login(email, PASSWORD);
    const self = service.as(body.access_token);
    const guess = { password: 'a wrong guess', new_password: 'another password' };
    for (let n = 0; n < PER_ACCOUNT; n += 1) {
      expect((await self.put('/users/me/password', guess)).status).to.equal(422);
    }
    const reply = await self.put<Problem>('/users/me/password', { ...guess, password: PASSWORD });
    expect([reply.status, reply.body.code]).to.deep.equal([429, 'too_many_attempts']);
  });

  it('leaves counters behind that say nothing and go by themselves', async () => {
    const rows = await deployment.administer<{ key: string }>(
      'select key from login_attempts',
      [],
      deployment.metadataDatabase,
    );
    expect(rows.length).to.be.greaterThan(10);
    expect(rows.map(({ key }) => key).join()).not.to.match(/@|example/);
    await deployment.administer('update login_attempts set expire = 1', [], deployment.metadataDatabase);
    await login(await enrol(), PASSWORD);
    const left = await deployment.administer(
      'select from login_attempts where expire = 1',
      [],
      deployment.metadataDatabase,
    );
    expect(left).to.deep.equal([]);
  });
});

describe('A refused login', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment({
      LOGIN_ATTEMPTS_PER_ACCOUNT: '1000',
      LOGIN_ATTEMPTS_PER_ADDRESS: '1000',
    });
    service = await HttpService.start(deployment);
    const { users } = service.container.get(TOKENS.metadataDatabase);
    const passwordHash = await new Argon2Passwords().hash(PASSWORD);
    await users.ensureUser({ email: 'known@example.org', passwordHash, platformAdmin: true });
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const medianOf = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

  it('takes as long for an unknown user as for a wrong password', async () => {
    const times: Record<string, number[]> = { 'known@example.org': [], 'unknown@example.org': [] };
    for (let n = 0; n < 15; n += 1) {
      for (const [email, seen] of Object.entries(times)) {
        // The processor's time, in all threads: what others do on the machine does not count.
        const since = process.cpuUsage();
        const { status } = await service.call('POST', '/auth/token', { body: { email, password: 'wrong' } });
        const { user, system } = process.cpuUsage(since);
        seen.push((user + system) / 1000);
        expect(status).to.equal(401);
      }
    }
    const [known = 0, unknown = 0] = Object.values(times).map(medianOf);
    // Without the work for nobody's password it would be a tenth.
    expect(unknown / known, `${unknown} ms against ${known} ms`).to.be.within(0.5, 2);
  });
});
