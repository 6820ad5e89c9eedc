import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import jwt, { type SignOptions } from 'jsonwebtoken';
import { createDeployment, TEST_JWT_SECRET, type Deployment } from '../support/deployment.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { samplePathOf } from '../support/route-samples.ts';
import type { Method } from '../support/send.ts';

const CLAIMS = { sub: 'user-1', org_id: 'alpha', roles: ['member', 'org_admin', 'worker'] };
const GOOD: SignOptions = { issuer: 'mad.local', audience: 'mad', expiresIn: 600 };
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);
const sign = (claims: object = CLAIMS, options: SignOptions = GOOD, secret = TEST_JWT_SECRET): string =>
  jwt.sign(claims, secret, options);
const WITHOUT_EXP: SignOptions = { issuer: 'mad.local', audience: 'mad' };

const badTokens = (): Readonly<Record<string, string>> => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const payload = { ...CLAIMS, iss: 'mad.local', aud: 'mad', iat: now(), exp: now() + 600 };
  const good = sign();
  const [header = '', body = '', signature = ''] = good.split('.');
  return {
    'no signature at all': `${header}.${body}.`,
    'two parts': `${header}.${body}`,
    'alg none': `${encode({ alg: 'none', typ: 'JWT' })}.${encode(payload)}.`,
    'alg None, signed': `${encode({ alg: 'None', typ: 'JWT' })}.${encode(payload)}.${signature}`,
    'another key': sign(CLAIMS, GOOD, 'another secret that is long enough too'),
    'the empty key': jwt.sign(CLAIMS, Buffer.from('\0'), GOOD),
    'HS512 with the right key': sign(CLAIMS, { ...GOOD, algorithm: 'HS512' }),
    'RS256 with a key of its own': jwt.sign(CLAIMS, privateKey, { ...GOOD, algorithm: 'RS256' }),
    'another payload under a good signature': `${header}.${encode({ ...payload, org_id: 'beta' })}.${signature}`,
    'expired a second ago': sign({ ...CLAIMS, exp: now() - 1 }, WITHOUT_EXP),
    'no exp': sign(CLAIMS, WITHOUT_EXP),
    'exp that is a text': `${encode({ alg: 'HS256' })}.${encode({ ...payload, exp: 'never' })}.${signature}`,
    'not yet valid': sign({ ...CLAIMS, nbf: now() + 300 }),
    'wrong aud': sign(CLAIMS, { ...GOOD, audience: 'other' }),
    'no aud': sign(CLAIMS, { issuer: 'mad.local', expiresIn: 600 }),
    'wrong iss': sign(CLAIMS, { ...GOOD, issuer: 'evil.local' }),
    'no iss': sign(CLAIMS, { audience: 'mad', expiresIn: 600 }),
    'no sub': sign({ org_id: 'alpha', roles: ['member'] }),
    'an empty sub': sign({ ...CLAIMS, sub: '' }),
    'no roles': sign({ sub: 'user-1', org_id: 'alpha' }),
    'roles that are a text': sign({ ...CLAIMS, roles: 'member' }),
    'org_id that is a list': sign({ ...CLAIMS, org_id: ['alpha', 'beta'] }),
    'org_id that is null': sign({ ...CLAIMS, org_id: null }),
    'an empty org_id': sign({ ...CLAIMS, org_id: '' }),
    'the secret itself': TEST_JWT_SECRET.replaceAll(' ', '-'),
    'no token': '',
    'a megabyte less': 'a'.repeat(9000),
  };
};

describe('Tokens over HTTP', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  it('that are good are taken', async () => {
    expect((await service.as(sign()).get('/jobs')).status).to.equal(200);
  });

  it('that are bad are 401, every one alike', async () => {
    const answers = new Set<string>();
    for (const [what, token] of Object.entries(badTokens())) {
      for (const path of ['/jobs', '/organizations/alpha/jobs', '/organizations/alpha', '/admin/databases']) {
        const reply = await service.as(token).get<Problem>(path);
        expect([what, path, reply.status, reply.body.code]).to.deep.equal([
          what,
          path,
          401,
          'unauthenticated',
        ]);
        answers.add(reply.text.replaceAll(reply.body.request_id, 'ID'));
      }
    }
    expect([...answers]).to.have.length(1);
  });

  it('are asked for on every route that is not public, before anything else is judged', async () => {
    const tokens = [undefined, badTokens()['alg none'], badTokens()['another key']];
    const routes = service.routes.filter(({ scope }) => scope !== 'public');
    for (const route of routes) {
      for (const token of tokens) {
        const path = samplePathOf(route, 'HOSTILE..', 'no-uuid');
        // The table holds exactly these methods in lower case.
        const method = route.method.toUpperCase() as Method;
        const reply = await service.call<Problem>(method, path, {
          ...(token !== undefined && { token }),
          ...(route.request.body && { body: { nonsense: true } }),
        });
        expect([path, reply.status, reply.body.code]).to.deep.equal([path, 401, 'unauthenticated']);
      }
    }
    expect(await deployment.databases()).not.to.include(deployment.databaseName('beta'));
  });

  it('are bearer tokens, in the Authorization header alone', async () => {
    const token = sign();
    for (const headers of [
      { authorization: `Basic ${token}` },
      { authorization: token },
      { authorization: `Bearer ${token} ${token}` },
      { cookie: `access_token=${token}` },
      { 'x-access-token': token },
    ]) {
      expect((await service.call('GET', '/jobs', { headers })).status).to.equal(401);
    }
    expect((await service.call('GET', `/jobs?access_token=${token}`)).status).to.equal(401);
    expect(
      (await service.call('GET', '/jobs', { headers: { authorization: `bearer ${token}` } })).status,
    ).to.equal(200);
  });

  it('with unknown roles, or none, may nothing', async () => {
    for (const roles of [[], ['root'], ['MEMBER'], [['member']], [null, 7, {}]]) {
      const reply = await service.as(sign({ ...CLAIMS, roles })).get<Problem>('/jobs');
      expect([reply.status, reply.body.code]).to.deep.equal([403, 'role_required']);
    }
  });

  it('expire while they are in use', async () => {
    const caller = service.as(sign({ ...CLAIMS, exp: now() + 1 }, WITHOUT_EXP));
    expect((await caller.get('/jobs')).status).to.equal(200);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await caller.get('/jobs')).status).to.equal(401);
  });
});
