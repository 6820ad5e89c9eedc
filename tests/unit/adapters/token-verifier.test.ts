import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import jwt, { type JwtHeader, type SignOptions } from 'jsonwebtoken';
import { RemoteKeySet } from '../../../adapters/jsonwebtoken/remote-key-set.ts';
import { JsonwebtokenIssuer } from '../../../adapters/jsonwebtoken/token-issuer.ts';
import { JsonwebtokenVerifier } from '../../../adapters/jsonwebtoken/token-verifier.ts';
import { VerificationKeys, type ConfiguredKeys } from '../../../adapters/jsonwebtoken/verification-keys.ts';
import { UnauthenticatedError } from '../../../domain/identity/errors.ts';
import { parseOrganizationId } from '../../../domain/organizations/organization-id.ts';
import { FakeLogger } from '../../support/fakes/fake-logger.ts';

const SECRET = 'k'.repeat(32);
const NAMES = { issuer: 'mad.local', audience: 'mad' };
const MAX_ID = 51;
const START = Date.UTC(2026, 0, 1);
const NOW = START / 1000;

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const OTHER_RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const CLAIMS = {
  sub: 'user-1',
  org_id: 'acme',
  roles: ['member'],
  iss: 'mad.local',
  aud: 'mad',
  exp: NOW + 60,
};

const sign = (claims: object = {}, key: string | KeyObject = SECRET, options: SignOptions = {}): string => {
  const payload = Object.fromEntries(
    Object.entries({ ...CLAIMS, ...claims }).filter(([, value]) => value !== undefined),
  );
  return jwt.sign(payload, key, { noTimestamp: true, ...options });
};

/** Signs by hand what `jsonwebtoken` refuses to sign. */
const signByHand = (header: object, claims: object, secret = SECRET): string => {
  const signed = `${base64url(header)}.${base64url({ ...CLAIMS, ...claims })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};

const verifierWith = (keys: Partial<ConfiguredKeys>, now: () => number = () => START): JsonwebtokenVerifier =>
  new JsonwebtokenVerifier({
    keys: new VerificationKeys({ secret: null, publicKey: null, remoteKeys: null, ...keys }),
    ...NAMES,
    externalIssuer: null,
    maxOrganizationIdLength: MAX_ID,
    accessTtlSeconds: 3600,
    now,
  });

const withSecret = verifierWith({ secret: SECRET });
const withRsa = verifierWith({ publicKey: pem(RSA.publicKey) });
const withBoth = verifierWith({ secret: SECRET, publicKey: pem(RSA.publicKey) });

const expectRefused = async (token: string, verifier = withSecret): Promise<void> => {
  let caught: unknown;
  try {
    await verifier.read(token);
  } catch (error) {
    caught = error;
  }
  expect(caught).to.be.instanceOf(UnauthenticatedError);
  expect(caught).to.have.property('message', new UnauthenticatedError().message);
  expect(caught).to.have.property('details').deep.equal({});
};

const jwk = (key: KeyObject, kid: string, more: object = {}): object => ({
  ...key.export({ format: 'jwk' }),
  kid,
  ...more,
});
const signWithRsa = (kid: string | undefined, key = RSA.privateKey): string =>
  sign({ exp: NOW + 1e6 }, key, { algorithm: 'RS256', ...(kid === undefined ? {} : { keyid: kid }) });

describe('JsonwebtokenVerifier', () => {
  it('takes what the issuer issues', async () => {
    const issuer = new JsonwebtokenIssuer({ secret: SECRET, ...NAMES, accessTtlSeconds: 60 });
    const principal = {
      userId: 'user-1',
      organizationId: parseOrganizationId('acme', MAX_ID),
      roles: new Set(['member', 'worker'] as const),
    };
    const administrator = {
      userId: 'root',
      organizationId: null,
      roles: new Set(['platform_admin'] as const),
    };
    const verifier = verifierWith({ secret: SECRET }, Date.now);

    const issued = issuer.issue(principal);

    expect(issued.expiresInSeconds).to.equal(60);
    const common = { issuer: 'mad.local', external: false };
    const { userId: subject, ...rest } = principal;
    expect(await verifier.read(issued.accessToken)).to.deep.equal({
      ...common,
      ...rest,
      subject,
      sessionId: null,
    });
    expect(
      await verifier.read(issuer.issue(administrator, { sessionId: 'session-1' }).accessToken),
    ).to.deep.equal({
      ...common,
      subject: 'root',
      organizationId: null,
      roles: administrator.roles,
      sessionId: 'session-1',
    });
    expect(jwt.decode(issuer.issue(administrator).accessToken)).to.not.have.property('org_id');
  });

  it('takes a token of a session for as long as tokens are issued for by now, also when it says more', async () => {
    const claims = { sid: 'session-1', iat: NOW, exp: NOW + 86_400 };
    let now = START;
    const verifier = verifierWith({ secret: SECRET, publicKey: pem(RSA.publicKey) }, () => now);
    const read = (token: string) => verifier.read(token);
    const token = sign(claims, SECRET, { noTimestamp: false });
    for (const [at, taken] of [
      [START + 3_599_999, true],
      [START + 3_600_000, false],
    ] as const) {
      now = at;
      if (taken) expect(await read(token)).to.include({ sessionId: 'session-1' });
      else await expectRefused(token, verifier);
      await read(sign({ ...claims, sid: undefined }));
      await read(sign(claims, RSA.privateKey, { algorithm: 'RS256' }));
    }
    await expectRefused(sign({ ...claims, iat: undefined }));
    await expectRefused(signByHand({ alg: 'HS256' }, { ...claims, iat: String(NOW) }));
  });

  it('issues nothing without a secret', () => {
    const issuer = new JsonwebtokenIssuer({ secret: null, ...NAMES, accessTtlSeconds: 60 });

    expect(() => issuer.issue({ userId: 'u', organizationId: null, roles: new Set() })).to.throw(
      UnauthenticatedError,
    );
  });

  it('takes RS256 and ES256 with a public key of their kind', async () => {
    const ecVerifier = verifierWith({ publicKey: pem(EC.publicKey) });

    expect((await withRsa.read(sign({}, RSA.privateKey, { algorithm: 'RS256' }))).subject).to.equal('user-1');
    expect((await ecVerifier.read(sign({}, EC.privateKey, { algorithm: 'ES256' }))).subject).to.equal(
      'user-1',
    );
  });

  it('takes each kind of token with its own key where both are configured', async () => {
    expect((await withBoth.read(sign())).subject).to.equal('user-1');
    expect((await withBoth.read(sign({}, RSA.privateKey, { algorithm: 'RS256' }))).subject).to.equal(
      'user-1',
    );
  });

  it('refuses an RSA public key used as an HMAC secret', async () => {
    for (const text of [pem(RSA.publicKey), pem(RSA.publicKey).trim()]) {
      const forged = signByHand({ alg: 'HS256', typ: 'JWT' }, {}, text);
      await expectRefused(forged, withRsa);
      await expectRefused(forged, withBoth);
    }
  });

  it('refuses an algorithm that is not configured', async () => {
    await expectRefused(sign({}, SECRET), withRsa);
    await expectRefused(
      sign({}, SECRET.repeat(2), { algorithm: 'HS512' }),
      verifierWith({ secret: SECRET.repeat(2) }),
    );
    await expectRefused(sign({}, RSA.privateKey, { algorithm: 'RS256' }), withSecret);
    await expectRefused(sign({}, RSA.privateKey, { algorithm: 'RS512' }), withRsa);
    await expectRefused(sign({}, RSA.privateKey, { algorithm: 'PS256' }), withRsa);
    await expectRefused(sign({}, EC.privateKey, { algorithm: 'ES256' }), withRsa);
  });

  it('refuses key ids that point elsewhere', async () => {
    const kids: unknown[] = [
      '../../../../dev/null',
      "' UNION SELECT 'k",
      '/etc/passwd',
      'https://evil.example/k',
    ];
    for (const kid of kids) {
      // An empty file, an injected value: the secrets that such a key id would lead to.
      await expectRefused(signByHand({ alg: 'HS256', kid }, {}, ''));
      await expectRefused(signByHand({ alg: 'HS256', kid }, {}, 'k'));
    }
    for (const kid of [null, 1, {}, ['x'], true, 'x'.repeat(256)]) {
      await expectRefused(signByHand({ alg: 'HS256', kid }, {}));
    }
  });

  it('refuses alg none in every spelling', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 0, ['HS256']]) {
      const signed = signByHand({ alg, typ: 'JWT' }, {});
      await expectRefused(signed);
      await expectRefused(signed.slice(0, signed.lastIndexOf('.') + 1));
    }
  });

  it('refuses an unsigned token', async () => {
    const token = sign();

    await expectRefused(token.slice(0, token.lastIndexOf('.') + 1));
    await expectRefused(token.slice(0, token.lastIndexOf('.')));
  });

  it('ignores a key that the token brings along', async () => {
    const header = {
      alg: 'RS256',
      jwk: OTHER_RSA.publicKey.export({ format: 'jwk' }),
      jku: 'https://evil.example/keys',
      x5u: 'https://evil.example/cert',
      x5c: ['AAAA'],
    };
    // `jsonwebtoken` types know fewer header fields than a sender can write.
    const options: SignOptions = {
      algorithm: 'RS256',
      header: Object.assign<JwtHeader, object>({ alg: 'RS256' }, header),
    };

    await expectRefused(sign({}, OTHER_RSA.privateKey, options), withRsa);
    expect((await withRsa.read(sign({}, RSA.privateKey, options))).subject).to.equal('user-1');
  });

  it('refuses another key', async () => {
    await expectRefused(sign({}, 'x'.repeat(32)));
    await expectRefused(sign({}, OTHER_RSA.privateKey, { algorithm: 'RS256' }), withRsa);
  });

  it('refuses an expired token, to the second', async () => {
    await expectRefused(sign({ exp: NOW - 1 }));
    await expectRefused(sign({ exp: NOW }));
    expect((await withSecret.read(sign({ exp: NOW + 1 }))).subject).to.equal('user-1');
  });

  it('refuses a token without a numeric exp', async () => {
    for (const exp of [undefined, null, `${NOW + 60}`, true, {}]) {
      await expectRefused(signByHand({ alg: 'HS256' }, { exp }));
    }
    const endless = `${base64url({ alg: 'HS256' })}.${Buffer.from(
      JSON.stringify({ ...CLAIMS, exp: 0 }).replace('"exp":0', '"exp":1e999'),
    ).toString('base64url')}`;
    await expectRefused(`${endless}.${createHmac('sha256', SECRET).update(endless).digest('base64url')}`);
  });

  it('refuses another audience', async () => {
    for (const aud of [undefined, 'other', '', ['other'], [], 'mad ', { mad: true }]) {
      await expectRefused(signByHand({ alg: 'HS256' }, { aud }));
    }
    expect((await withSecret.read(sign({ aud: ['other', 'mad'] }))).subject).to.equal('user-1');
  });

  it('refuses another issuer', async () => {
    for (const iss of [undefined, 'other', '', ['mad.local'], 'mad.local/']) {
      await expectRefused(signByHand({ alg: 'HS256' }, { iss }));
    }
  });

  it('refuses trailing garbage', async () => {
    for (const token of [sign(), sign({}, RSA.privateKey, { algorithm: 'RS256' })]) {
      await withBoth.read(token);
      for (const garbage of ['x', 'AAAA', '.', '.x', '=', ' ', '\n', '\u0000', '%00', ',', `.${token}`]) {
        await expectRefused(token + garbage, withBoth);
        if (garbage !== 'AAAA') await expectRefused(garbage + token, withBoth);
      }
    }
  });

  it('refuses a changed payload or signature', async () => {
    const [header = '', , signature = ''] = sign().split('.');
    await expectRefused(`${header}.${base64url({ ...CLAIMS, org_id: 'other' })}.${signature}`);
    await expectRefused(`${header}.${base64url(CLAIMS)}.${signature.slice(0, -2)}`);
  });

  it('refuses a token that is not valid yet, with five seconds of grace', async () => {
    await expectRefused(sign({ nbf: NOW + 6 }));
    await expectRefused(signByHand({ alg: 'HS256' }, { nbf: 'soon' }));
    expect((await withSecret.read(sign({ nbf: NOW + 5 }))).subject).to.equal('user-1');
  });

  it('refuses a token without a usable sub', async () => {
    for (const sub of [undefined, null, '', 7, {}, 'a\nb', 'a\u0000', 'x'.repeat(256)]) {
      await expectRefused(signByHand({ alg: 'HS256' }, { sub }));
    }
  });

  it('refuses roles that are no array', async () => {
    for (const roles of [undefined, null, 'member', { 0: 'member' }, 1]) {
      await expectRefused(signByHand({ alg: 'HS256' }, { roles }));
    }
  });

  it('refuses a bad org_id', async () => {
    const ids = [
      '',
      'Acme',
      '../x',
      "a'b",
      'a b',
      'template',
      'x'.repeat(MAX_ID + 1),
      'a\u0000',
      'ａ',
      '-a',
      null,
      1,
      ['acme'],
    ];
    for (const id of ids) await expectRefused(signByHand({ alg: 'HS256' }, { org_id: id }));
  });

  it('leaves out unknown roles', async () => {
    const { roles } = await withSecret.read(
      sign({ roles: ['member', 'god', 1, null, 'member', '__proto__'] }),
    );

    expect([...roles]).to.deep.equal(['member']);
  });

  it('gives no token both an organization and the platform', async () => {
    const within = await withSecret.read(sign({ roles: ['platform_admin', 'org_admin'] }));
    const without = await withSecret.read(
      sign({ roles: ['platform_admin', 'org_admin'], org_id: undefined }),
    );

    expect([...within.roles]).to.deep.equal(['org_admin']);
    expect([...without.roles]).to.deep.equal(['platform_admin']);
    expect(without.organizationId).to.equal(null);
  });

  it('refuses critical extensions', async () => {
    await expectRefused(signByHand({ alg: 'HS256', crit: ['exp'], exp: 1 }, {}));
    await expectRefused(signByHand({ alg: 'HS256', crit: [] }, {}));
  });

  it('refuses a token of over 8 KiB, and what is no token', async () => {
    await expectRefused(sign({ padding: 'x'.repeat(8192) }));
    for (const text of [
      '',
      '.',
      '..',
      '...',
      'x',
      'a.b.c',
      'null',
      `${base64url(null)}.${base64url(null)}.x`,
    ]) {
      await expectRefused(text);
    }
    await expectRefused(jwt.sign('not an object', SECRET));
  });

  it('lets a remembered token expire', async () => {
    let now = START;
    const verifier = verifierWith({ secret: SECRET }, () => now);
    const token = sign();

    const first = await verifier.read(token);
    now += 59_999;
    expect(await verifier.read(token)).to.equal(first);
    now += 1;
    await expectRefused(token, verifier);
  });

  it('remembers no refused token', async () => {
    let now = START;
    const verifier = verifierWith({ secret: SECRET }, () => now);
    const early = sign({ nbf: NOW + 30 });

    await expectRefused(early, verifier);
    now += 30_000;
    expect((await verifier.read(early)).subject).to.equal('user-1');
  });
});

describe('JsonwebtokenVerifier with a published key set', () => {
  let now: number;
  let fetches: number;
  let warnings: number;
  let published: unknown[];
  let down: boolean;
  let verifier: JsonwebtokenVerifier;

  beforeEach(() => {
    now = START;
    fetches = 0;
    warnings = 0;
    published = [jwk(RSA.publicKey, 'one'), jwk(EC.publicKey, 'two')];
    down = false;
    const remoteKeys = new RemoteKeySet({
      url: 'https://issuer.example/keys',
      logger: new FakeLogger(() => (warnings += 1)),
      now: () => now,
      fetchKeys: async () => {
        fetches += 1;
        if (down) throw new Error('the key server is down');
        return { keys: published };
      },
    });
    verifier = verifierWith({ remoteKeys, secret: SECRET }, () => now);
  });

  it('takes RS256, ES256 and its own tokens with one fetch', async () => {
    const tokens = [
      signWithRsa('one'),
      sign({}, EC.privateKey, { algorithm: 'ES256', keyid: 'two' }),
      sign(),
    ];
    await Promise.all(tokens.map((token) => verifier.read(token)));

    expect(fetches).to.equal(1);
  });

  it('takes a token without a key id where a lone key fits', async () => {
    expect((await verifier.read(signWithRsa(undefined))).subject).to.equal('user-1');
    published.push(jwk(OTHER_RSA.publicKey, 'three'));
    now += 11 * 60_000;
    await expectRefused(signWithRsa(undefined), verifier);
  });

  it('refuses the key of another algorithm', async () => {
    published = [jwk(RSA.publicKey, 'one', { alg: 'RS512' }), jwk(EC.publicKey, 'two')];

    await expectRefused(signWithRsa('one'), verifier);
    await expectRefused(signWithRsa('two'), verifier);
  });

  it('refuses a published public key used as an HMAC secret', async () => {
    await verifier.read(signWithRsa('one'));

    await expectRefused(signByHand({ alg: 'HS256', kid: 'one' }, {}, pem(RSA.publicKey)), verifier);
  });

  it('finds a rotated key, and drops the withdrawn one', async () => {
    await verifier.read(signWithRsa('one'));
    published = [jwk(OTHER_RSA.publicKey, 'three')];
    now += 20_000;

    expect((await verifier.read(signWithRsa('three', OTHER_RSA.privateKey))).subject).to.equal('user-1');
    // Remembered, but not for long.
    now += 11 * 60_000;
    await expectRefused(signWithRsa('one'), verifier);
  });

  it('refuses a key that was withdrawn while nobody asked', async () => {
    await verifier.read(signWithRsa('one'));
    published = [jwk(OTHER_RSA.publicKey, 'three')];
    now += 12 * 3_600_000;

    await expectRefused(signWithRsa('one'), verifier);
  });

  it('trusts no key for long after the issuer withdrew all of them, however it says so', async () => {
    for (const keys of [[], [{}], [{ kty: 'RSA' }], [null, 'none', 7]]) {
      published = [jwk(RSA.publicKey, 'one')];
      now += 60_000;
      await verifier.read(signWithRsa('one'));
      published = keys;
      now += 11 * 60_000;
      await expectRefused(signWithRsa('one'), verifier);
    }
    expect(warnings).to.equal(0);
  });

  it('takes a good key out of a set whose other keys are unusable', async () => {
    published = [{ kty: 'RSA', n: '!', e: 'AQAB' }, { kty: 'OKP' }, jwk(RSA.publicKey, 'one')];
    expect((await verifier.read(signWithRsa('one'))).subject).to.equal('user-1');
  });

  it('refuses a key that is weaker than one of the configuration may be', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    published = [jwk(weak.publicKey, 'weak')];
    const token = sign({}, weak.privateKey, {
      algorithm: 'RS256',
      keyid: 'weak',
      allowInsecureKeySizes: true,
    });
    await expectRefused(token, verifier);
    expect(
      () => new VerificationKeys({ secret: null, publicKey: pem(weak.publicKey), remoteKeys: null }),
    ).to.throw(TypeError);
  });

  it('refuses a key that is published for encryption, or with its private part', async () => {
    for (const key of [jwk(RSA.publicKey, 'one', { use: 'enc' }), jwk(RSA.privateKey, 'one')]) {
      published = [key];
      now += 11 * 60_000;
      await expectRefused(signWithRsa('one'), verifier);
    }
  });

  it('asks the key server once for a flood of made-up key ids', async () => {
    await verifier.read(signWithRsa('one'));
    now += 20_000;
    const flood = Array.from({ length: 100 }, (_, index) => signWithRsa(`made-up-${index}`));
    for (const token of flood) await expectRefused(token, verifier);

    expect(fetches).to.equal(2);
    expect(
      (await verifier.read(sign({ sub: 'b' }, RSA.privateKey, { algorithm: 'RS256', keyid: 'one' }))).subject,
    ).to.equal('b');
  });

  it('survives an outage of the key server with the keys it knows', async () => {
    await verifier.read(signWithRsa('one'));
    down = true;
    now += 12 * 3_600_000;

    expect((await verifier.read(signWithRsa('one'))).subject).to.equal('user-1');
    await expectRefused(signWithRsa('made-up'), verifier);
    expect(warnings).to.equal(1);
    now += 13 * 3_600_000;
    await expectRefused(signWithRsa('one'), verifier);
    down = false;
    now += 60_000;
    expect((await verifier.read(signWithRsa('one'))).subject).to.equal('user-1');
  });

  it('refuses what a broken key server vouches for', async () => {
    for (const keys of [[], [{}], [{ kty: 'RSA' }], [{ kty: 'oct', k: 'AAAA', kid: 'one' }]]) {
      published = keys;
      now += 60_000;
      await expectRefused(signWithRsa('one'), verifier);
      await expectRefused(signByHand({ alg: 'HS256', kid: 'one' }, {}, '\u0000\u0000\u0000'), verifier);
    }
  });
});
