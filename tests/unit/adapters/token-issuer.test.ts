import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { JsonwebtokenIssuer } from '../../../adapters/jsonwebtoken/token-issuer.ts';
import type { TokenSession } from '../../../application/ports/identity/tokens.ts';

const SECRET = 'a secret of thirty-two characters';
const issuer = new JsonwebtokenIssuer({
  secret: SECRET,
  issuer: 'mad.local',
  audience: 'mad',
  accessTtlSeconds: 3600,
});
const inSeconds = (seconds: number): Date => new Date(Date.now() + 1000 * seconds);
const issue = (session: Omit<TokenSession, 'sessionId'>) => {
  const principal = { userId: 'ada', organizationId: null, roles: new Set(['guest'] as const) };
  const { accessToken, expiresInSeconds } = issuer.issue(principal, { sessionId: 'session', ...session });
  const { exp, iat } = jwt.decode(accessToken, { json: true }) ?? {};
  expect(Number(exp) - Number(iat)).to.equal(expiresInSeconds);
  return { accessToken, exp: Number(exp), expiresInSeconds };
};

describe('An access token', () => {
  it('ends with its session, if that is sooner than its own time', () => {
    const endsAt = inSeconds(600);
    expect(issue({ endsAt }).exp).to.equal(Math.floor(endsAt.getTime() / 1000));
    expect(issue({ endsAt, atMostSeconds: 60 }).expiresInSeconds).to.equal(60);
    expect(issue({ endsAt: inSeconds(7200) }).expiresInSeconds).to.equal(3600);
    expect(issue({ endsAt: inSeconds(7200), atMostSeconds: 60 }).expiresInSeconds).to.equal(60);
  });

  it('is over from the start where this clock says that its session is', () => {
    const { accessToken, expiresInSeconds } = issue({ endsAt: inSeconds(-10) });
    expect(expiresInSeconds).to.equal(0);
    expect(() => jwt.verify(accessToken, SECRET)).to.throw('jwt expired');
  });
});
