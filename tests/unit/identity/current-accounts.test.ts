import { expect } from 'chai';
import { CurrentAccounts } from '../../../application/identity/current-accounts.ts';
import { verifyToken } from '../../../application/identity/verify-token.ts';
import type { TokenClaims } from '../../../application/ports/identity/tokens.ts';
import { UnauthenticatedError } from '../../../domain/identity/errors.ts';
import type { Account, AccountRepository } from '../../../domain/identity/account.ts';
import type { Role } from '../../../domain/identity/role.ts';
import { parseOrganizationId } from '../../../domain/organizations/organization-id.ts';
import { FakeFeed } from '../../support/fakes/fake-feed.ts';
import { Gate, rejectionOf } from '../../support/gate.ts';

const ACME = parseOrganizationId('acme', 51);
const BETA = parseOrganizationId('beta', 51);

const account = (changes: Partial<Account> = {}): Account => ({
  userId: 'ada',
  active: true,
  platformAdmin: false,
  memberships: [{ organizationId: ACME, roles: ['member', 'worker'] }],
  invited: false,
  isFleet: false,
  revokedSessions: new Set(),
  ...changes,
});

/** One account, which the tests change, and every look that was taken at it. */
class FakeAccounts implements AccountRepository {
  stored: Account | null = account();
  userId: string | null = 'ada';
  looks = 0;
  fail = false;
  gate: Gate | null = null;

  async find(): Promise<Account | null> {
    this.looks += 1;
    if (this.fail) throw new Error('the database is away');
    const seen = this.stored;
    await this.gate?.pass();
    return seen;
  }

  async findUserId(): Promise<string | null> {
    this.looks += 1;
    return this.userId;
  }
}

const setUp = () => {
  const repository = new FakeAccounts();
  const feed = new FakeFeed();
  const clock = { now: 0 };
  const accounts = new CurrentAccounts(repository, feed, { now: () => clock.now, patienceMs: 100 });
  return { repository, feed, clock, accounts };
};

describe('CurrentAccounts', () => {
  it('asks once for any number of requests while the feed is up to date', async () => {
    const { repository, accounts, clock } = setUp();
    await Promise.all(Array.from({ length: 100 }, () => accounts.find('ada')));
    clock.now = 50_000;
    for (let n = 0; n < 100; n += 1) await accounts.find('ada');
    expect(repository.looks).to.equal(1);
    clock.now = 61_000;
    await accounts.find('ada');
    expect(repository.looks).to.equal(2);
  });

  it('asks again after two seconds while it is not', async () => {
    const { repository, accounts, clock, feed } = setUp();
    feed.isCurrent = false;
    await accounts.find('ada');
    clock.now = 1999;
    await accounts.find('ada');
    expect(repository.looks).to.equal(1);
    clock.now = 2000;
    await accounts.find('ada');
    expect(repository.looks).to.equal(2);
  });

  it('asks again when it is told of a change of this user, and of no other', async () => {
    const { repository, accounts, feed } = setUp();
    await accounts.find('ada');
    repository.stored = account({ active: false });
    await feed.subscriber?.changed([
      { kind: 'user', userId: 'bob' },
      { kind: 'organization', organizationId: ACME },
      { kind: 'member', organizationId: ACME, userId: 'bob' },
    ]);
    expect((await accounts.find('ada'))?.active).to.equal(true);
    await feed.subscriber?.changed([{ kind: 'member', organizationId: BETA, userId: 'ada' }]);
    expect((await accounts.find('ada'))?.active).to.equal(false);
    repository.stored = null;
    await feed.subscriber?.reset();
    expect(await accounts.find('ada')).to.equal(null);
  });

  it('keeps nothing that was read before the change it was told of', async () => {
    const { repository, accounts, feed } = setUp();
    const gate = new Gate();
    repository.gate = gate;
    const early = accounts.find('ada');
    await gate.reached;
    repository.stored = account({ active: false });
    await feed.subscriber?.changed([{ kind: 'user', userId: 'ada' }]);
    repository.gate = null;
    expect((await accounts.find('ada'))?.active).to.equal(false);
    gate.open();
    await early;
    expect((await accounts.find('ada'))?.active).to.equal(false);
  });

  it('looks a linked identity up again when a user changed', async () => {
    const { repository, accounts, feed } = setUp();
    repository.userId = null;
    expect(await accounts.findUserId('issuer', 'subject')).to.equal(null);
    repository.userId = 'ada';
    await feed.subscriber?.changed([{ kind: 'user', userId: 'ada' }]);
    expect(await accounts.findUserId('issuer', 'subject')).to.equal('ada');
    repository.userId = null;
    await feed.subscriber?.changed([{ kind: 'user', userId: 'bob' }]);
    expect(await accounts.findUserId('issuer', 'subject')).to.equal('ada');
    await feed.subscriber?.changed([{ kind: 'user', userId: 'ada' }]);
    expect(await accounts.findUserId('issuer', 'subject')).to.equal(null);
  });

  it('goes on with what it knows for five minutes of an outage, and then refuses', async () => {
    const { repository, accounts, clock, feed } = setUp();
    await accounts.find('ada');
    feed.isCurrent = false;
    repository.fail = true;
    for (const now of [5000, 60_000, 299_000]) {
      clock.now = now;
      expect((await accounts.find('ada'))?.userId).to.equal('ada');
    }
    clock.now = 301_000;
    expect(String(await rejectionOf(accounts.find('ada')))).to.include('away');
    expect(String(await rejectionOf(accounts.find('somebody new')))).to.include('away');
  });

  it('does not let a database that stalls hold up who is known', async () => {
    const { repository, accounts, clock, feed } = setUp();
    await accounts.find('ada');
    feed.isCurrent = false;
    const gate = new Gate();
    repository.gate = gate;
    repository.stored = account({ active: false });
    clock.now = 5000;
    expect((await accounts.find('ada'))?.active, 'the old answer stands in').to.equal(true);
    expect(repository.looks).to.equal(2);
    gate.open();
    await gate.opened;
    clock.now = 6500;
    expect((await accounts.find('ada'))?.active).to.equal(false);
  });

  it('waits for an answer that comes late, rather than give access by one that is much too old', async () => {
    const repository = new FakeAccounts();
    const feed = new FakeFeed();
    const clock = { now: 0 };
    const accounts = new CurrentAccounts(repository, feed, { now: () => clock.now });
    await accounts.find('ada');
    feed.isCurrent = false;
    repository.gate = new Gate();
    repository.stored = account({ active: false });
    clock.now = 5000;
    const found = [accounts.find('ada'), accounts.find('ada')];
    await repository.gate.reached;
    const brief = new Promise((resolve) => setTimeout(() => resolve('still waiting'), 150));
    expect(await Promise.race([...found, brief])).to.equal('still waiting');
    repository.gate.open();
    for (const one of await Promise.all(found)) expect(one?.active).to.equal(false);
    expect(repository.looks, 'those who wait share the look').to.equal(2);
  });

  it('forgets who was not asked for the longest, beyond ten thousand', async () => {
    const { repository, accounts } = setUp();
    for (let n = 0; n <= 10_000; n += 1) await accounts.find(`user-${n}`);
    const looks = repository.looks;
    await accounts.find('user-10000');
    await accounts.find('user-5000');
    expect(repository.looks).to.equal(looks);
    await accounts.find('user-0');
    expect(repository.looks).to.equal(looks + 1);
  });
});

describe('verifyToken', () => {
  const claims = (changes: Partial<TokenClaims> = {}): TokenClaims => ({
    issuer: 'mad.local',
    subject: 'ada',
    external: false,
    organizationId: ACME,
    roles: new Set<Role>(['member', 'org_admin']),
    sessionId: 'session-1',
    ...changes,
  });
  const verify = (read: TokenClaims, stored: Account | null, userId: string | null = 'ada') => {
    const repository = new FakeAccounts();
    repository.stored = stored;
    repository.userId = userId;
    return verifyToken({ tokenReader: { read: async () => read }, accounts: repository })('a token');
  };
  const admin = { organizationId: null, roles: new Set<Role>(['platform_admin']) };

  it('gives what both the token and the membership say', async () => {
    expect(await verify(claims(), account())).to.deep.equal({
      userId: 'ada',
      organizationId: ACME,
      roles: new Set(['member']),
    });
    expect(await verify(claims(admin), account({ platformAdmin: true }))).to.deep.equal({
      userId: 'ada',
      organizationId: null,
      roles: new Set(['platform_admin']),
    });
  });

  const refusals: Readonly<Record<string, readonly [Partial<TokenClaims>, Account | null]>> = {
    'a disabled user': [{}, account({ active: false })],
    'a session that has ended': [{}, account({ revokedSessions: new Set(['session-1']) })],
    'a membership that is gone': [{}, account({ memberships: [] })],
    'a membership of another organization': [{ organizationId: BETA }, account()],
    'a platform administrator who is none any more': [admin, account()],
    'a login of a user who is gone': [{}, null],
    'an identity provider’s word for nobody': [{ external: true }, null],
    'an external token for an organization that is not the user’s': [
      { external: true, organizationId: BETA },
      account(),
    ],
  };
  for (const [what, [changes, stored]] of Object.entries(refusals)) {
    it(`refuses ${what}`, async () => {
      const refusal = await rejectionOf(verify(claims(changes), stored));
      expect(refusal).to.be.instanceOf(UnauthenticatedError);
      expect(refusal).to.have.property('message', new UnauthenticatedError().message);
    });
  }

  it('takes a subject without an account at the word of who holds the key', async () => {
    const roles = new Set<Role>(['worker']);
    expect(await verify(claims({ sessionId: null, roles }), null)).to.deep.equal({
      userId: 'ada',
      organizationId: ACME,
      roles,
    });
  });

  it('gives a linked identity the membership that its token names, or the only one', async () => {
    const external = { external: true, roles: new Set<Role>(), sessionId: null };
    for (const organizationId of [ACME, null]) {
      const principal = await verify(claims({ ...external, organizationId }), account());
      expect(principal.organizationId).to.equal(ACME);
      expect([...principal.roles]).to.have.members(['member', 'worker']);
    }
    const two = account({
      memberships: [ACME, BETA].map((organizationId) => ({ organizationId, roles: ['member'] as const })),
    });
    const unnamed = verify(claims({ ...external, organizationId: null }), two);
    expect(await rejectionOf(unnamed)).to.be.instanceOf(UnauthenticatedError);
    const administrator = await verify(
      claims({ ...external, organizationId: null }),
      account({ platformAdmin: true }),
    );
    expect([...administrator.roles]).to.deep.equal(['platform_admin']);
  });
});
