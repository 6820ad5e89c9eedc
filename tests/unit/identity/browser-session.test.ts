import { expect } from 'chai';
import { makeBrowserToken, openBrowserSession } from '../../../application/identity/browser-session.ts';
import type { MetadataDatabase } from '../../../application/ports/databases/metadata-database.ts';
import type { TokenSession } from '../../../application/ports/identity/tokens.ts';
import { PasswordChangeRequiredError, UnauthenticatedError } from '../../../domain/identity/errors.ts';
import type { SessionRepository } from '../../../domain/identity/session-repository.ts';
import { FakeMetadata } from '../../support/fakes/fake-metadata.ts';
import { organization } from '../../support/fakes/fake-service.ts';
import { rejectionOf } from '../../support/gate.ts';

const ACME = organization('acme');
const ORIGIN = { requestId: 'request', address: '192.0.2.1' };
const hashOf = (token: string) => Buffer.from(`hash of ${token}`);

const setUp = (overridesOf: (sessions: SessionRepository) => Partial<SessionRepository> = () => ({})) => {
  const fake = new FakeMetadata();
  fake.add(ACME);
  const { people } = fake;
  for (const userId of ['ada', 'bob', 'cleo'])
    people.add({ userId, email: `${userId}@example.org`, passwordHash: `hash of ${userId}'s` });
  for (const userId of ['ada', 'bob']) people.join(userId, ACME, ['member']);
  const sessions = { ...fake.sessions, ...overridesOf(fake.sessions) };
  const stored: MetadataDatabase = fake;
  const metadata: MetadataDatabase = {
    ...stored,
    transaction: (work) => fake.transaction((repositories) => work({ ...repositories, sessions })),
  };
  const issued: (TokenSession | undefined)[] = [];
  let made = 0;
  const next = (name: string): string => `${name} ${(made += 1)}`;
  const ports = {
    metadata,
    passwords: {
      hash: async (password: string) => `hash of ${password}`,
      verify: async (password: string, hash: string | null) => hash === `hash of ${password}`,
    },
    loginAttempts: { begin: async () => {}, succeed: async () => {}, failKey: async () => {} },
    refreshTokens: {
      create: () => {
        const token = next('secret');
        return { token, hash: hashOf(token) };
      },
      hashOf,
    },
    accessTokens: {
      issue: (_principal: unknown, session?: TokenSession) => {
        issued.push(session);
        return { accessToken: 'token', expiresInSeconds: 1 };
      },
    },
    newSessionId: () => next('session'),
    now: () => 0,
  };
  const open = openBrowserSession(ports);
  const logIn = (
    userId: string,
    { former = null, newPassword = null }: { former?: string | null; newPassword?: string | null } = {},
  ) => open({ email: `${userId}@example.org`, password: `${userId}'s`, newPassword, former }, ORIGIN);
  const isLive = async (secret: string) => (await fake.sessions.findBrowser(hashOf(secret))) !== null;
  const passwordHash = async (userId: string) =>
    (await fake.users.findPasswordIdentity(`${userId}@example.org`))?.passwordHash;
  return { people, ports, issued, logIn, isLive, passwordHash, sessions: fake.sessions };
};

describe('A login in a browser that has a session', () => {
  it('may be sent again when the end of that session failed: nothing of it is done', async () => {
    let failures = 0;
    const { logIn, isLive, passwordHash, sessions } = setUp((stored) => ({
      revoke: async (sessionId) => {
        failures += 1;
        if (failures === 1) throw new Error('the metadata database is away');
        await stored.revoke(sessionId);
      },
    }));
    const former = await logIn('ada');
    const again = { former, newPassword: 'another' };

    expect(String(await rejectionOf(logIn('bob', again)))).to.include('the metadata database is away');
    expect(await passwordHash('bob')).to.equal("hash of bob's");
    expect(await sessions.listLive('bob')).to.deep.equal([]);
    expect(await isLive(former)).to.equal(true);

    const secret = await logIn('bob', again);
    expect([await isLive(former), await isLive(secret)]).to.deep.equal([false, true]);
    expect(await passwordHash('bob')).to.equal('hash of another');
    expect(await sessions.listLive('bob')).to.have.length(1);
  });

  it('may be sent again when its own session was not opened', async () => {
    let isAway = false;
    const { logIn, isLive, passwordHash } = setUp((stored) => ({
      open: async (session, lifetimeSeconds) => {
        if (isAway) throw new Error('the metadata database is away');
        return stored.open(session, lifetimeSeconds);
      },
    }));
    const former = await logIn('ada');
    isAway = true;
    await rejectionOf(logIn('bob', { former, newPassword: 'another' }));
    expect(await passwordHash('bob')).to.equal("hash of bob's");
    isAway = false;
    const secret = await logIn('bob', { former, newPassword: 'another' });
    expect([await isLive(former), await isLive(secret)]).to.deep.equal([false, true]);
  });

  it('leaves it alone when it is refused, though the password is right', async () => {
    const { people, logIn, isLive } = setUp();
    const former = await logIn('ada');
    people.add({ userId: 'bob', email: 'bob@example.org', passwordHash: "hash of bob's", mustChange: true });
    people.join('bob', ACME, ['member']);
    expect(await rejectionOf(logIn('bob', { former }))).to.be.instanceOf(PasswordChangeRequiredError);
    const nowhere = logIn('cleo', { former, newPassword: 'another' });
    expect(await rejectionOf(nowhere)).to.be.instanceOf(UnauthenticatedError);
    expect(await isLive(former)).to.equal(true);
  });
});

describe('A token of a browser', () => {
  it('is to end with its session', async () => {
    const { ports, issued, logIn, sessions } = setUp();
    const secret = await logIn('ada');
    await makeBrowserToken(ports)(secret, ACME);
    const { expiresAt } = (await sessions.findBrowser(hashOf(secret))) ?? {};
    expect(issued.map((session) => session?.endsAt)).to.deep.equal([expiresAt]);
  });
});
