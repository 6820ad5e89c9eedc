import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { RemoteKeySet } from '../../adapters/jsonwebtoken/remote-key-set.ts';
import { JsonwebtokenVerifier } from '../../adapters/jsonwebtoken/token-verifier.ts';
import { VerificationKeys } from '../../adapters/jsonwebtoken/verification-keys.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { IdentityReply, UserReply } from '../support/access-contract.ts';
import { createDeployment, TEST_JWT_SECRET, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';
import { startKeyServer, type KeyServer } from '../support/key-server.ts';

const ISSUER = 'https://people.example';
const MINUTE_MS = 60_000;
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const NEXT_RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A token as an identity provider makes it: who, and nothing of what they may do here. */
const tokenOf = (
  subject: string,
  {
    key = RSA.privateKey,
    keyid = 'one',
    claims = {},
  }: { key?: KeyObject; keyid?: string; claims?: object } = {},
): string =>
  jwt.sign({ ...claims }, key, {
    algorithm: key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256',
    keyid,
    subject,
    issuer: ISSUER,
    audience: 'mad',
    expiresIn: '30d',
  });

describe('External identities', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let keys: KeyServer;
  let platform: Caller;
  let administrator: Caller;
  let people = 0;

  before(async () => {
    keys = await startKeyServer();
    keys.publish({ one: RSA.publicKey, two: EC.publicKey });
    deployment = await createDeployment({ JWT_JWKS_URL: keys.url, JWT_EXTERNAL_ISSUER: ISSUER });
    service = await HttpService.start(deployment);
    await deployment.register('alpha', 'beta');
    platform = service.as(deployment.token(null, ['platform_admin']));
    administrator = service.as(deployment.token('alpha', ['org_admin']));
  });
  after(async () => {
    await Promise.all([service.close(), keys.close()]);
    await deployment.dispose();
  });

  /** A user of ours whom the provider calls by the subject. */
  const enrol = async (subject: string, organizations: readonly string[] = ['alpha']) => {
    const email = `person-${(people += 1)}@example.org`;
    const { user_id } = (await platform.post<UserReply>('/users', { email })).body;
    for (const organization of organizations) {
      await platform.post(`/organizations/${organization}/members`, { email, roles: ['member'] });
    }
    const path = `/users/${user_id}/identities`;
    const { body } = await platform.post<IdentityReply>(path, { issuer: ISSUER, subject });
    return { userId: user_id, path: `${path}/${body.identity_id}` };
  };
  const ask = (token: string, path = '/jobs') => service.as(token).get<Problem>(path);

  it('speak for the user they are linked to, with the roles of the membership', async () => {
    const { userId } = await enrol('ada');
    for (const token of [tokenOf('ada'), tokenOf('ada', { key: EC.privateKey, keyid: 'two' })]) {
      const own = await service.as(token).get<UserReply>('/users/me');
      expect([own.status, own.body.user_id]).to.deep.equal([200, userId]);
      expect((await ask(token)).status).to.equal(200);
      expect((await ask(token, '/organizations/alpha/members')).body.code).to.equal('role_required');
    }
  });

  it('count for nothing before they are linked, and after they were unlinked', async () => {
    const token = tokenOf('bob');
    expect((await ask(token)).status).to.equal(401);
    const { path } = await enrol('bob');
    await until('the identity counts', async () => (await ask(token)).status === 200, 3000);
    await service.call('DELETE', path, { token: deployment.token(null, ['platform_admin']) });
    await until('it counts no more', async () => (await ask(token)).status === 401, 3000);
  });

  it('get no role and no organization from what the provider writes into a token', async () => {
    await enrol('eve');
    const roles = ['org_admin', 'platform_admin', 'worker'];
    const boasting = tokenOf('eve', { claims: { roles } });
    expect((await ask(boasting)).status).to.equal(200);
    for (const path of ['/organizations/alpha/members', '/organizations', '/users']) {
      expect((await ask(boasting, path)).body.code).to.equal('role_required');
    }
    const foreign = tokenOf('eve', { claims: { roles, org_id: 'beta' } });
    expect((await ask(foreign)).status).to.equal(401);
    const nobody = tokenOf('operator', { claims: { roles } });
    expect((await ask(nobody, '/organizations')).status).to.equal(401);
  });

  it('choose among several organizations by the claim', async () => {
    await enrol('two-homes', ['alpha', 'beta']);
    expect((await ask(tokenOf('two-homes'))).status).to.equal(401);
    const ofBeta = tokenOf('two-homes', { claims: { org_id: 'beta' } });
    expect((await ask(ofBeta, '/organizations/beta')).status).to.equal(200);
    expect((await ask(ofBeta, '/organizations/alpha')).status).to.equal(403);
  });

  it('lose access within seconds with their user', async () => {
    const { userId } = await enrol('leaver');
    const token = tokenOf('leaver');
    expect((await ask(token)).status).to.equal(200);
    await platform.patch(`/users/${userId}`, { status: 'disabled' });
    await until('the identity is refused', async () => (await ask(token)).status === 401, 3000);
  });

  it('are not taken for the service’s own, nor its own for theirs', async () => {
    const { userId } = await enrol('mallory');
    const ownIssuer = jwt.sign({ org_id: 'alpha', roles: ['org_admin'] }, RSA.privateKey, {
      algorithm: 'RS256',
      keyid: 'one',
      subject: userId,
      issuer: 'mad.local',
      audience: 'mad',
      expiresIn: 600,
    });
    const theirIssuer = jwt.sign({ org_id: 'alpha', roles: ['member'] }, TEST_JWT_SECRET, {
      subject: 'mallory',
      issuer: ISSUER,
      audience: 'mad',
      expiresIn: 600,
    });
    // The provider has no user of this name, whatever we call ours.
    const asUserId = tokenOf(userId, { claims: { org_id: 'alpha' } });
    for (const token of [ownIssuer, theirIssuer, asUserId]) expect((await ask(token)).status).to.equal(401);
    expect((await administrator.get('/organizations/alpha')).status).to.equal(200);
  });

  describe('and their key server', () => {
    const clock = { now: Date.now() };
    let timed: HttpService;

    before(async () => {
      await enrol('keyed');
      const container = deployment.start();
      const { tokens, database } = container.get(TOKENS.config);
      const logger = container.get(TOKENS.logger);
      const now = (): number => clock.now;
      const remoteKeys = new RemoteKeySet({ url: keys.url, logger, now });
      container.rebind(TOKENS.tokenReader).toConstantValue(
        new JsonwebtokenVerifier({
          ...tokens,
          keys: new VerificationKeys({ ...tokens, remoteKeys }),
          maxOrganizationIdLength: database.maxOrganizationIdLength,
          now,
        }),
      );
      timed = await HttpService.over(deployment, container);
    });
    after(() => timed.close());

    const status = async (token: string): Promise<number> =>
      (await timed.call('GET', '/jobs', { token })).status;
    /** Another one each time: none is remembered. */
    const fresh = (keyid: string, key: KeyObject = RSA.privateKey): string =>
      tokenOf('keyed', { keyid, key, claims: { jti: String(Math.random()) } });

    it('are asked once for any number of tokens', async () => {
      const before = keys.fetches;
      for (let n = 0; n < 20; n += 1) expect(await status(fresh('one'))).to.equal(200);
      for (let n = 0; n < 20; n += 1) expect(await status(fresh(`made-up-${n}`))).to.equal(401);
      expect(keys.fetches - before).to.equal(1);
    });

    it('may rotate: a new key is found, and a withdrawn one is good no longer', async () => {
      clock.now += MINUTE_MS;
      const old = fresh('one');
      expect(await status(old)).to.equal(200);
      keys.publish({ three: NEXT_RSA.publicKey, two: EC.publicKey });
      expect(await status(fresh('three', NEXT_RSA.privateKey))).to.equal(200);
      expect(await status(fresh('one'))).to.equal(401);
      clock.now += 11 * MINUTE_MS;
      expect(await status(old), 'a token that is remembered').to.equal(401);
    });

    for (const failure of ['status 500', 'hang up', 'nonsense'] as const) {
      it(`may fail for hours (${failure}): known keys go on serving, and new ones are found afterwards`, async () => {
        keys.publish({ three: NEXT_RSA.publicKey });
        clock.now += 11 * MINUTE_MS;
        await status(fresh('three', NEXT_RSA.privateKey));
        const fetched = keys.fetches;
        keys.fail(failure);
        for (let hour = 0; hour < 10; hour += 1) {
          clock.now += 60 * MINUTE_MS;
          expect(await status(fresh('three', NEXT_RSA.privateKey)), `hour ${hour}`).to.equal(200);
        }
        await until('the key server was asked in vain', () => keys.fetches > fetched);
        expect(await status(fresh('one'))).to.equal(401);
        clock.now += MINUTE_MS;
        keys.publish({ one: RSA.publicKey, three: NEXT_RSA.publicKey });
        await until('the new key is found', async () => {
          clock.now += MINUTE_MS;
          return (await status(fresh('one'))) === 200;
        });
      });
    }

    it('may fail for a day: then their keys are not trusted any more', async () => {
      keys.fail('hang up');
      clock.now += 25 * 60 * MINUTE_MS;
      expect(await status(fresh('one'))).to.equal(401);
      keys.publish({ one: RSA.publicKey });
      clock.now += MINUTE_MS;
      expect(await status(fresh('one'))).to.equal(200);
    });
  });
});
