import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { createDeployment, TEST_JWT_SECRET, type Deployment } from '../support/deployment.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { startKeyServer, type KeyServer } from '../support/key-server.ts';

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ATTACKER = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ATTACKER_EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PATHS = ['/jobs', '/organizations/alpha', '/organizations/alpha/members', '/users/me'];

const now = (): number => Math.floor(Date.now() / 1000);
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = (changes: object = {}): object => ({
  sub: 'user-1',
  org_id: 'alpha',
  roles: ['member', 'org_admin'],
  iss: 'mad.local',
  aud: 'mad',
  iat: now(),
  exp: now() + 600,
  ...changes,
});
const without = (...names: readonly string[]): object =>
  Object.fromEntries(Object.entries(claims()).filter(([name]) => !names.includes(name)));
const hmac = (
  header: object,
  payload: unknown = claims(),
  secret: string | Buffer = TEST_JWT_SECRET,
): string => {
  const signed = `${encode({ alg: 'HS256', ...header })}.${encode(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};
const rsa = (header: object, payload: unknown = claims(), key: KeyObject = RSA.privateKey): string => {
  const signed = `${encode({ alg: 'RS256', kid: 'rsa-1', ...header })}.${encode(payload)}`;
  return `${signed}.${createSign('sha256').update(signed).sign(key, 'base64url')}`;
};
const ec = (header: object, key: KeyObject = EC.privateKey): string => {
  const signed = `${encode({ alg: 'ES256', kid: 'ec-1', ...header })}.${encode(claims())}`;
  const signature = createSign('sha256').update(signed).sign({ key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
};
const pem = RSA.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const parts = (token: string): [string, string, string] => {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return [header, payload, signature];
};

/** Every attack as tokens that are right but for the one thing; the attacker has no key of ours. */
const ATTACKS: Readonly<Record<string, () => readonly string[]>> = {
  'alg none': () =>
    ['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) => {
      const unsigned = `${encode({ alg, typ: 'JWT' })}.${encode(claims())}`;
      return [`${unsigned}.`, unsigned, `${unsigned}.${parts(hmac({}))[2]}`];
    }),
  'alg none under a good signature': () => {
    const [, payload, signature] = parts(hmac({}));
    return [`${encode({ alg: 'none' })}.${payload}.${signature}`];
  },
  'alg missing, or no text': () =>
    [{}, { alg: null }, { alg: ['HS256'] }, { alg: { a: 1 } }].map((header) => {
      const signed = `${encode(header)}.${encode(claims())}`;
      return `${signed}.${createHmac('sha256', TEST_JWT_SECRET).update(signed).digest('base64url')}`;
    }),
  'confusion of RS256 with HS256: the public key as HMAC secret': () => {
    const der = RSA.publicKey.export({ type: 'spki', format: 'der' });
    const pkcs1 = RSA.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    const secrets = [
      pem,
      pem.trim(),
      `${pem}\n`,
      pkcs1,
      der,
      JSON.stringify(RSA.publicKey.export({ format: 'jwk' })),
    ];
    return secrets.flatMap((secret) => [
      hmac({}, claims(), secret),
      hmac({ kid: 'rsa-1' }, claims(), secret),
    ]);
  },
  'confusion of ES256 with HS256: the public key as HMAC secret': () => [
    hmac({ kid: 'ec-1' }, claims(), EC.publicKey.export({ type: 'spki', format: 'pem' }).toString()),
  ],
  'confusion of HS256 with RS256: an HMAC under an asymmetric header': () =>
    ['RS256', 'ES256'].map((alg) => hmac({ alg, kid: 'rsa-1' })),
  'confusion of RS256 with ES256 and back': () => [
    rsa({ alg: 'ES256', kid: 'ec-1' }),
    rsa({ alg: 'ES256', kid: 'rsa-1' }),
    ec({ alg: 'RS256', kid: 'ec-1' }),
  ],
  'another algorithm of a good key': () => [
    jwt.sign(claims(), TEST_JWT_SECRET, { algorithm: 'HS384' }),
    jwt.sign(claims(), TEST_JWT_SECRET, { algorithm: 'HS512' }),
    jwt.sign(claims(), RSA.privateKey, { algorithm: 'RS512', keyid: 'rsa-1' }),
    jwt.sign(claims(), RSA.privateKey, { algorithm: 'PS256', keyid: 'rsa-1' }),
  ],
  'an empty or weak HMAC secret': () => [
    hmac({}, claims(), Buffer.alloc(0)),
    hmac({}, claims(), '\0'),
    ...['secret', 'null', 'undefined', 'changeme'].map((secret) => hmac({}, claims(), secret)),
  ],
  'a key of one’s own': () => [
    rsa({}, claims(), ATTACKER.privateKey),
    rsa({ kid: undefined }, claims(), ATTACKER.privateKey),
    ec({}, ATTACKER_EC.privateKey),
  ],
  'an embedded jwk': () => {
    const jwk = { ...ATTACKER.publicKey.export({ format: 'jwk' }), kid: 'rsa-1', alg: 'RS256' };
    return [
      rsa({ jwk }, claims(), ATTACKER.privateKey),
      rsa({ jwk, kid: undefined }, claims(), ATTACKER.privateKey),
    ];
  },
  'jku and x5u that point to a key of one’s own': () =>
    ['jku', 'x5u'].map((name) =>
      rsa({ [name]: attackersKeys.url, kid: 'evil' }, claims(), ATTACKER.privateKey),
    ),
  'x5c with a certificate of one’s own': () => [
    rsa(
      { x5c: [ATTACKER.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
      claims(),
      ATTACKER.privateKey,
    ),
  ],
  'kid that is a path': () =>
    ['/dev/null', '../../../../dev/null', 'file:///dev/null', '/proc/self/environ'].flatMap((kid) => [
      hmac({ kid }, claims(), ''),
      hmac({ kid }, claims(), '\0'),
      rsa({ kid }, claims(), ATTACKER.privateKey),
    ]),
  'kid that is SQL or a command': () =>
    [`x' union select 'secret'--`, `'; drop table users; --`, '| cat /etc/passwd', '$(id)'].flatMap((kid) => [
      hmac({ kid }, claims(), 'secret'),
      rsa({ kid }, claims(), ATTACKER.privateKey),
    ]),
  'kid that is a property of every object': () =>
    ['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((kid) =>
      rsa({ kid }, claims(), ATTACKER.privateKey),
    ),
  'kid that is an address': () => [rsa({ kid: attackersKeys.url }, claims(), ATTACKER.privateKey)],
  'kid that is no text, or endless': () =>
    [['rsa-1'], { a: 1 }, 7, null, true, 'k'.repeat(300)].flatMap((kid) => [rsa({ kid }), hmac({ kid })]),
  'kid that nobody publishes': () => [rsa({ kid: 'rsa-2' }), rsa({ kid: '' })],
  'critical extensions': () => [
    hmac({ crit: ['exp'] }),
    hmac({ crit: ['b64'], b64: false }),
    rsa({ crit: [] }),
  ],
  expired: () => [
    hmac({}, claims({ exp: now() - 1 })),
    hmac({}, claims({ exp: 0 })),
    hmac({}, claims({ exp: -1 })),
    rsa({}, claims({ exp: now() - 1 })),
  ],
  'exp missing': () => [hmac({}, without('exp')), rsa({}, without('exp'))],
  'exp that is no number': () =>
    ['never', String(now() + 600), null, true, [now() + 600], {}].map((exp) => hmac({}, claims({ exp }))),
  'exp beyond all numbers': () => {
    const payload = Buffer.from(JSON.stringify(without('exp')).replace(/\}$/, ',"exp":1e999}')).toString(
      'base64url',
    );
    const signed = `${encode({ alg: 'HS256' })}.${payload}`;
    return [`${signed}.${createHmac('sha256', TEST_JWT_SECRET).update(signed).digest('base64url')}`];
  },
  'not yet valid': () => [hmac({}, claims({ nbf: now() + 60 })), hmac({}, claims({ nbf: 'later' }))],
  'wrong audience': () =>
    ['other', '', 'MAD', 'mad ', ['other'], [], null, {}].map((aud) => hmac({}, claims({ aud }))),
  'no audience': () => [hmac({}, without('aud'))],
  'wrong issuer': () =>
    ['evil.local', '', 'MAD.LOCAL', 'mad.local/', ['mad.local', 'evil.local'], null].map((iss) =>
      hmac({}, claims({ iss })),
    ),
  'no issuer': () => [hmac({}, without('iss'))],
  'wrong typ': () =>
    ['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'refresh+jwt', 'id+jwt', '', 7, null, ['JWT']].map((typ) =>
      hmac({ typ }),
    ),
  'no subject, or one that is no name': () =>
    [undefined, '', null, 7, ['user-1'], 'a\nb', 'x'.repeat(256)].map((sub) => hmac({}, claims({ sub }))),
  'roles that are no list': () =>
    [undefined, 'org_admin', { 0: 'org_admin', length: 1 }, null].map((roles) => hmac({}, claims({ roles }))),
  'an organization that is no organization': () =>
    [null, '', ['alpha'], { id: 'alpha' }, 7, '../alpha', 'Alpha', 'alpha\0'].map((org_id) =>
      hmac({}, claims({ org_id })),
    ),
  'a session that is no name': () => [7, '', ['x'], null].map((sid) => hmac({}, claims({ sid }))),
  'another payload under a good signature': () => {
    const [header, , signature] = parts(hmac({}));
    return [`${header}.${encode(claims({ sub: 'root' }))}.${signature}`];
  },
  'another header under a good signature': () => {
    const [, payload, signature] = parts(hmac({}));
    return [`${encode({ alg: 'HS256', typ: 'JWT', kid: 'x' })}.${payload}.${signature}`];
  },
  'a signature cut short, or none': () => {
    const [header, payload, signature] = parts(hmac({}));
    return [
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature.slice(0, 22)}`,
    ];
  },
  'trailing garbage': () =>
    [hmac({}), rsa({}), ec({})].flatMap((token) =>
      ['x', '=', '==', '.', '..', '.x', '~', '-', '_', '/', '+'].map((garbage) => token + garbage),
    ),
  'leading garbage': () => ['.', 'x', '~', '-'].map((garbage) => garbage + hmac({})),
  'duplicate segments': () => {
    const good = hmac({});
    const [header, payload, signature] = parts(good);
    return [
      `${good}.${signature}`,
      `${good}.${payload}.${signature}`,
      `${header}.${header}.${payload}.${signature}`,
      `${header}.${payload}.${payload}.${signature}`,
      `${good}.${good}`,
    ];
  },
  'the same signature in another spelling': () =>
    [rsa({}), ec({})].flatMap((token) => {
      const [header, payload, signature] = parts(token);
      // The last character of 256 or 64 bytes has bits that no decoder looks at.
      return sameBytes(signature).map((spelled) => `${header}.${payload}.${spelled}`);
    }),
  'a JWS in JSON, and an encrypted token': () => {
    const [header, payload, signature] = parts(hmac({}));
    return [
      Buffer.from(JSON.stringify({ protected: header, payload, signature })).toString('base64url'),
      `${encode({ alg: 'dir', enc: 'A256GCM' })}..${encode('iv')}.${payload}.${signature}`,
    ];
  },
  'a payload that is no object': () =>
    ['a text', 7, null, true, [claims()], []].map((payload) => hmac({}, payload)),
  'a huge token': () => [
    hmac({}, claims({ padding: 'x'.repeat(7000) })),
    hmac({ padding: 'x'.repeat(7000) }),
    'a'.repeat(12_000),
    `${'a'.repeat(4000)}.${'b'.repeat(4000)}.${'c'.repeat(4000)}`,
  ],
  'a header or payload nested without end': () => {
    const deep = `${'['.repeat(2500)}${']'.repeat(2500)}`;
    const signed = `${Buffer.from(`{"alg":"HS256","x":${deep}}`).toString('base64url')}.${encode(claims())}`;
    return [signed, `${signed}.${'A'.repeat(43)}`];
  },
};

const sameBytes = (signature: string): readonly string[] => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const bytes = Buffer.from(signature, 'base64url');
  return Array.from(alphabet)
    .map((last) => signature.slice(0, -1) + last)
    .filter((spelled) => spelled !== signature && Buffer.from(spelled, 'base64url').equals(bytes));
};

let attackersKeys: KeyServer;

describe('Attacks with tokens', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;
  let keys: KeyServer;

  before(async () => {
    [keys, attackersKeys] = await Promise.all([startKeyServer(), startKeyServer()]);
    keys.publish({ 'rsa-1': RSA.publicKey, 'ec-1': EC.publicKey });
    attackersKeys.publish({ evil: ATTACKER.publicKey });
    deployment = await createDeployment({ JWT_JWKS_URL: keys.url });
    service = await HttpService.start(deployment, ['alpha', 'beta']);
    await deployment.register('alpha', 'beta');
  });
  after(async () => {
    await Promise.all([service.close(), keys.close(), attackersKeys.close()]);
    await deployment.dispose();
  });

  const ask = (token: string, path: string) => service.as(token).get<Problem>(path);

  it('differ in one thing only from tokens that are served', async () => {
    for (const token of [hmac({}), hmac({ typ: 'JWT' }), hmac({ typ: 'at+jwt' }), rsa({}), ec({})]) {
      expect((await ask(token, '/jobs')).status).to.equal(200);
      expect((await ask(token, '/organizations/alpha/members')).status).to.equal(200);
    }
    for (const token of [
      hmac({ kid: 'whatever' }),
      hmac({}, claims({ nbf: now(), aud: ['other', 'mad'] })),
    ]) {
      expect((await ask(token, '/jobs')).status).to.equal(200);
    }
  });

  for (const [attack, tokens] of Object.entries(ATTACKS)) {
    it(`${attack}: 401`, async () => {
      const forged = tokens();
      expect(forged.length).to.be.greaterThan(0);
      for (const token of forged) {
        for (const path of PATHS) {
          const reply = await ask(token, path);
          expect([token, path, reply.status, reply.body.code]).to.deep.equal([
            token,
            path,
            401,
            'unauthenticated',
          ]);
        }
      }
    });
  }

  it('platform_admin beside an organization administers nothing, and roles without one neither', async () => {
    const both = hmac({}, claims({ roles: ['platform_admin'] }));
    const neither = hmac({}, without('org_id'));
    for (const path of ['/organizations', '/users', '/admin/databases', '/admin/audit-logs']) {
      for (const token of [both, neither]) expect((await ask(token, path)).status).to.equal(403);
    }
    expect((await ask(neither, '/jobs')).status).to.equal(403);
  });

  it('never made the service ask the attacker’s server', () => {
    expect(attackersKeys.fetches).to.equal(0);
  });
});
