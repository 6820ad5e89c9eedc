import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { User } from '../../domain/identity/user-repository.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { organizationId } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { inPages } from './in-pages.ts';
import { METADATA, type MetadataSubject, type Subject } from './subjects.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];
const HASH = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA';
const NOBODY = '00000000-0000-4000-8000-000000000000';

const keepsPeople = (subject: Subject<MetadataSubject>): void => {
  let metadata: MetadataDatabase;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    ({ metadata } = await subject.empty());
  });

  const register = async (...ids: readonly OrganizationId[]): Promise<void> => {
    for (const id of ids) await metadata.organizations.insert({ id, name: id });
  };
  const insertUser = async (email: string): Promise<User> => {
    const user = await metadata.users.insert({ email, platformAdmin: false });
    if (user === null) throw new Error('the email is taken');
    return user;
  };

  describe('users', () => {
    it('are made once, with their identity, whatever the case of the address and however many try', async () => {
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          metadata.users.ensureUser({
            email: index % 2 === 0 ? 'Ada@Example.org' : 'ada@example.ORG',
            passwordHash: `${HASH}${index}`,
            platformAdmin: true,
          }),
        ),
      );
      expect(made.filter(({ created }) => created)).to.have.length(1);
      expect(new Set(made.map(({ userId }) => userId)).size).to.equal(1);
      expect(await inPages((page) => metadata.users.list({ email: null }, page))).to.have.length(1);
      const winner = made.findIndex(({ created }) => created);
      expect(await metadata.users.findPasswordIdentity('ADA@example.org')).to.deep.equal({
        userId: made[0]?.userId,
        passwordHash: `${HASH}${winner}`,
      });
      expect(await metadata.users.findPasswordIdentity('bob@example.org')).to.equal(null);
    });

    it('are looked through for a platform administrator who is active', async () => {
      expect(await metadata.users.hasPlatformAdministrator()).to.equal(false);
      const person = { email: 'a@b.c', passwordHash: HASH, platformAdmin: false };
      const { userId } = await metadata.users.ensureUser(person);
      expect(await metadata.users.hasPlatformAdministrator()).to.equal(false);
      await metadata.users.change(userId, { platformAdmin: true });
      expect(await metadata.users.hasPlatformAdministrator()).to.equal(true);
      await metadata.users.change(userId, { active: false });
      expect(await metadata.users.hasPlatformAdministrator()).to.equal(false);
    });

    it('have roles per organization that are replaced', async () => {
      await register(ACME, BETA);
      const { userId } = await metadata.users.ensureUser({
        email: 'a@b.c',
        passwordHash: HASH,
        platformAdmin: false,
      });
      expect(await metadata.users.listMemberships(userId)).to.be.empty;
      await metadata.members.add(ACME, userId, ['member', 'worker']);
      await metadata.members.add(BETA, userId, ['member']);
      await metadata.members.setRoles(ACME, userId, ['org_admin']);
      expect(await metadata.users.listMemberships(userId)).to.deep.equal([
        { organizationId: ACME, roles: ['org_admin'] },
        { organizationId: BETA, roles: ['member'] },
      ]);
    });

    it('without any credential are made when the email is free, and found by it in any case', async () => {
      const user = await insertUser('Ada@example.org');
      expect(user).to.include({
        email: 'Ada@example.org',
        active: true,
        platformAdmin: false,
        hasPassword: false,
        mustChangePassword: false,
      });
      expect(await metadata.users.insert({ email: 'aDA@example.org', platformAdmin: true })).to.equal(null);
      expect(await metadata.users.find(user.userId)).to.deep.equal(user);
      expect(await metadata.users.findByEmail('ADA@example.org')).to.deep.equal(user);
      expect(await metadata.users.findPasswordIdentity('ada@example.org')).to.equal(null);
      expect(await metadata.users.lockPasswordHash(user.userId)).to.equal(null);
      for (const id of [NOBODY, 'no uuid']) expect(await metadata.users.find(id)).to.equal(null);
    });

    it('are found by every spelling of one canonical form, and by no other', async () => {
      const made = await metadata.users.ensureUser({
        email: 'Jürgen@Bücher.example',
        passwordHash: HASH,
        platformAdmin: false,
      });
      const other = await insertUser('i@example.org');
      for (const email of [
        'JÜRGEN@BÜCHER.EXAMPLE',
        'ju\u0308rgen@xn--bcher-kva.example',
        'ｊürgen@bücher.example',
      ]) {
        expect((await metadata.users.findByEmail(email))?.userId, email).to.equal(made.userId);
        expect(await metadata.users.findPasswordIdentity(email), email).to.deep.equal({
          userId: made.userId,
          passwordHash: HASH,
        });
        expect(await metadata.users.insert({ email, platformAdmin: false }), email).to.equal(null);
      }
      expect((await metadata.users.findByEmail('I@example.org'))?.userId).to.equal(other.userId);
      for (const email of ['İ@example.org', 'ı@example.org', 'jurgen@bücher.example']) {
        expect(await metadata.users.findByEmail(email), email).to.equal(null);
        expect(await metadata.users.findPasswordIdentity(email), email).to.equal(null);
      }
    });

    it('are locked as they are now', async () => {
      const user = await insertUser('ada@example.org');
      await metadata.users.change(user.userId, { active: false });
      await metadata.transaction(async ({ users }) => {
        expect(await users.lock(user.userId)).to.include({ userId: user.userId, active: false });
        for (const id of [NOBODY, 'no uuid']) expect(await users.lock(id)).to.equal(null);
      });
    });

    it('are listed in the order of their ids, and by email in any case', async () => {
      const users = [];
      for (let i = 0; i < 5; i += 1) users.push(await insertUser(`User-${i}@example.org`));
      const list = (email: string | null) => inPages((page) => metadata.users.list({ email }, page));
      expect(await list(null)).to.deep.equal(users.toSorted((a, b) => (a.userId < b.userId ? -1 : 1)));
      expect(await list('uSER-3@example.org')).to.deep.equal([users[3]]);
      expect(await list('nobody@example.org')).to.be.empty;
      const beginning = (prefix: string) =>
        inPages((page) => metadata.users.list({ email: null, prefix }, page));
      expect(await beginning('USER-')).to.have.length(5);
      expect(await beginning('user-3')).to.deep.equal([users[3]]);
      expect(await beginning('user_')).to.be.empty;
    });

    it('are changed in what is given, and keep the rest', async () => {
      const { userId } = await insertUser('ada@example.org');
      const change = (fields: Parameters<typeof metadata.users.change>[1]) =>
        metadata.users.change(userId, fields);
      expect(await change({ mustChangePassword: true }), 'without a password').to.include({
        mustChangePassword: false,
      });
      await metadata.users.setPassword(userId, { hash: HASH, mustChange: false });
      expect(await metadata.users.lockPasswordHash(userId)).to.equal(HASH);
      expect(await change({ active: false, mustChangePassword: true })).to.include({
        active: false,
        platformAdmin: false,
        hasPassword: true,
        mustChangePassword: true,
      });
      expect(await change({ platformAdmin: true })).to.include({
        active: false,
        platformAdmin: true,
        mustChangePassword: true,
      });
      await metadata.users.setPassword(userId, { hash: `${HASH}2`, mustChange: false });
      expect(await metadata.users.findPasswordIdentity('ADA@example.org')).to.deep.equal({
        userId,
        passwordHash: `${HASH}2`,
      });
      expect(await metadata.users.find(userId)).to.include({ active: false, mustChangePassword: false });
      expect(await metadata.users.change(NOBODY, { active: false })).to.equal(null);
    });
  });

  describe('members', () => {
    it('are added once, to organizations that there are', async () => {
      const { userId } = await insertUser('ada@example.org');
      expect(await rejectionOf(metadata.members.add(ACME, userId, ['member']))).to.be.instanceOf(
        OrganizationNotFoundError,
      );
      await register(ACME);
      const added = await metadata.members.add(ACME, userId, ['member', 'worker']);
      expect(added).to.deep.include({
        userId,
        email: 'ada@example.org',
        status: 'active',
        roles: ['member', 'worker'],
      });
      expect(await metadata.members.add(ACME, userId, ['org_admin'])).to.equal(null);
      expect(await metadata.members.find(ACME, userId)).to.deep.equal(added);
    });

    it('are changed and removed in one organization, and stay in the others', async () => {
      await register(ACME, BETA);
      const { userId } = await insertUser('ada@example.org');
      expect(await metadata.members.setRoles(ACME, userId, ['member'])).to.equal(null);
      await metadata.members.remove(ACME, userId);
      for (const id of [ACME, BETA]) await metadata.members.add(id, userId, ['member']);
      expect(await metadata.members.setRoles(ACME, userId, ['org_admin'])).to.deep.include({
        roles: ['org_admin'],
      });
      expect(await metadata.members.find(BETA, userId)).to.deep.include({ roles: ['member'] });
      await metadata.members.remove(ACME, userId);
      expect(await metadata.members.find(ACME, userId)).to.equal(null);
      expect(await metadata.users.listMemberships(userId)).to.deep.equal([
        { organizationId: BETA, roles: ['member'] },
      ]);
    });

    it('are listed in the order of their user ids, of one organization alone', async () => {
      await register(ACME, BETA);
      const ids: string[] = [];
      for (let i = 0; i < 5; i += 1) {
        const { userId } = await insertUser(`user-${i}@example.org`);
        await metadata.members.add(i === 0 ? BETA : ACME, userId, ['member']);
        if (i > 0) ids.push(userId);
      }
      const listed = await inPages((page) => metadata.members.list(ACME, page));
      expect(listed.map(({ userId }) => userId)).to.deep.equal(ids.toSorted());
    });
  });

  describe('invitations', () => {
    it('count for nothing, and are listed where members are, in their own spelling', async () => {
      await register(ACME, BETA);
      const { userId } = await insertUser('ada@example.org');
      await metadata.users.change(userId, { active: false });
      const offer = { email: 'ADA@example.org', roles: ['member', 'org_admin'] as const };
      const invited = await metadata.members.invite(ACME, userId, offer);
      expect(invited).to.deep.include({ userId, ...offer, status: 'invited' });
      expect(await metadata.members.invite(ACME, userId, offer)).to.equal(null);
      expect(await inPages((page) => metadata.members.list(ACME, page))).to.deep.equal([invited]);
      expect(await metadata.members.find(BETA, userId)).to.equal(null);
      expect(await metadata.users.listMemberships(userId)).to.be.empty;
      const [open, ...others] = await metadata.members.listInvitations(userId);
      expect(open).to.deep.include({ organizationId: ACME, roles: offer.roles });
      expect(others).to.be.empty;
      expect(await metadata.members.setRoles(ACME, userId, ['worker'])).to.deep.include({
        roles: ['worker'],
        status: 'invited',
      });
      await metadata.members.remove(ACME, userId);
      expect(await metadata.members.find(ACME, userId)).to.equal(null);
      expect(await metadata.members.listInvitations(userId)).to.be.empty;
    });

    it('end with the membership that they offer', async () => {
      await register(ACME);
      const { userId } = await insertUser('ada@example.org');
      await metadata.members.invite(ACME, userId, { email: 'Ada@example.org', roles: ['org_admin'] });
      expect(await metadata.members.add(ACME, userId, ['member'])).to.deep.include({
        email: 'ada@example.org',
        status: 'active',
        roles: ['member'],
      });
      expect(await metadata.members.listInvitations(userId)).to.be.empty;
      expect(await inPages((page) => metadata.members.list(ACME, page))).to.have.length(1);
      const again = { email: 'ada@example.org', roles: ['org_admin'] as const };
      expect(await metadata.members.invite(ACME, userId, again), 'of a member').to.equal(null);
    });

    it('are to organizations that there are', async () => {
      const { userId } = await insertUser('ada@example.org');
      const offer = { email: 'ada@example.org', roles: ['member'] as const };
      expect(await rejectionOf(metadata.members.invite(ACME, userId, offer))).to.be.instanceOf(
        OrganizationNotFoundError,
      );
    });
  });

  describe('placeholders', () => {
    it('become the user who is made under their email, once', async () => {
      const placeholder = await metadata.users.insertPlaceholder('ADA@example.org');
      expect(placeholder).to.include({ email: 'ADA@example.org', hasPassword: false, platformAdmin: false });
      expect(await metadata.users.insertPlaceholder('ada@example.org')).to.equal(null);
      expect(await metadata.users.insert({ email: 'ada@example.org', platformAdmin: true })).to.include({
        userId: placeholder?.userId,
        email: 'ada@example.org',
        platformAdmin: true,
      });
      expect(await metadata.users.insert({ email: 'ada@example.org', platformAdmin: false })).to.equal(null);
    });

    it('that have a credential by now are users like others', async () => {
      for (const email of ['ada@example.org', 'bob@example.org'])
        await metadata.users.insertPlaceholder(email);
      const [ada, bob] = [
        await metadata.users.findByEmail('ada@example.org'),
        await metadata.users.findByEmail('bob@example.org'),
      ];
      await metadata.users.setPassword(ada?.userId ?? '', { hash: HASH, mustChange: false });
      await metadata.identities.link(bob?.userId ?? '', { issuer: 'https://one.example', subject: 'bob' });
      for (const email of ['ada@example.org', 'bob@example.org'])
        expect(await metadata.users.insert({ email, platformAdmin: true }), email).to.equal(null);
    });
  });

  describe('identities of other issuers', () => {
    it('are linked once, to whomever, and unlinked by their owner alone', async () => {
      const [ada, bob] = [await insertUser('ada@example.org'), await insertUser('bob@example.org')];
      await metadata.users.setPassword(ada.userId, { hash: HASH, mustChange: false });
      const { identities } = metadata;
      const linked = [];
      for (const issuer of ['https://one.example', 'https://two.example'])
        linked.push(await identities.link(ada.userId, { issuer, subject: 'ada' }));
      expect(linked[0]).to.include({ issuer: 'https://one.example', subject: 'ada' });
      expect(await identities.link(bob.userId, { issuer: 'https://one.example', subject: 'ada' })).to.equal(
        null,
      );
      expect(await identities.list(ada.userId)).to.have.deep.members(linked);
      expect(await identities.list(bob.userId)).to.be.empty;
      const identityId = linked[0]?.identityId ?? '';
      expect(await identities.unlink(bob.userId, identityId)).to.equal(null);
      expect(await identities.unlink(ada.userId, identityId)).to.deep.equal(linked[0]);
      expect(await identities.unlink(ada.userId, identityId)).to.equal(null);
      expect(await identities.list(ada.userId)).to.deep.equal([linked[1]]);
    });
  });

  describe('sessions', () => {
    const open = async (userId: string, organization: OrganizationId | null, lifetimeSeconds = 60) => {
      const session = { sessionId: randomUUID(), userId, organizationId: organization };
      const token = randomBytes(32);
      const expiresAt = await metadata.sessions.open(session, lifetimeSeconds);
      await metadata.sessions.addToken(session.sessionId, token);
      return { session: { ...session, expiresAt }, token };
    };

    it('give each token out once, and know one that was used before', async () => {
      await register(ACME);
      const { userId } = await insertUser('ada@example.org');
      const { session, token } = await open(userId, ACME);
      const { sessions } = metadata;
      expect(await sessions.findByToken(token)).to.deep.equal(session);
      const uses = await Promise.all(Array.from({ length: 5 }, () => sessions.useToken(token)));
      expect(uses).to.have.deep.members([
        { outcome: 'used', session },
        ...Array.from({ length: 4 }, () => ({ outcome: 'reused', session })),
      ]);
      expect(await sessions.findByToken(token), 'used up').to.deep.equal(session);
      expect(await sessions.useToken(randomBytes(32))).to.deep.equal({ outcome: 'refused' });
    });

    it('are known by the secret of a browser, until they are over', async () => {
      const { userId } = await insertUser('browser@example.org');
      const { session } = await open(userId, null);
      const secret = randomBytes(32);
      const { sessions } = metadata;
      await sessions.addBrowser(session.sessionId, secret);
      await sessions.noteUse(session.sessionId);
      const found = await sessions.findBrowser(secret);
      expect(found).to.include({ sessionId: session.sessionId, userId });
      expect(found?.idleSeconds).to.be.within(0, 60);
      expect(found?.expiresAt).to.be.instanceOf(Date);
      expect(await sessions.findBrowser(randomBytes(32))).to.equal(null);
      expect(await sessions.findByToken(secret), 'is no refresh token').to.equal(null);
      await sessions.revoke(session.sessionId);
      expect(await sessions.findBrowser(secret)).to.equal(null);
      const old = await open(userId, null, 0);
      await sessions.addBrowser(old.session.sessionId, secret.toReversed());
      expect(await sessions.findBrowser(secret.toReversed())).to.equal(null);
    });

    it('are listed while they are not over, the latest first', async () => {
      await register(ACME);
      const { userId } = await insertUser('ada@example.org');
      const { sessions } = metadata;
      const acme = await open(userId, ACME);
      const browser = await open(userId, null);
      await sessions.addBrowser(browser.session.sessionId, randomBytes(32));
      const revoked = await open(userId, null);
      await sessions.revoke(revoked.session.sessionId);
      await open(userId, null, 0);
      const listed = await sessions.listLive(userId);
      const kinds = listed.map(({ openedAt: _openedAt, expiresAt: _expiresAt, usedAt, ...session }) => ({
        ...session,
        isUsed: usedAt !== null,
      }));
      expect(kinds).to.have.deep.members([
        { sessionId: browser.session.sessionId, organizationId: null, isBrowser: true, isUsed: true },
        { sessionId: acme.session.sessionId, organizationId: ACME, isBrowser: false, isUsed: false },
      ]);
      expect(await sessions.listLive(randomUUID())).to.deep.equal([]);
    });

    it('take no token when they are over: revoked, or too old', async () => {
      await register(ACME, BETA);
      const { userId } = await insertUser('ada@example.org');
      const { sessions } = metadata;
      const [own, acme, beta] = [
        await open(userId, null),
        await open(userId, ACME),
        await open(userId, BETA),
      ];
      const old = await open(userId, null, 0);
      const living = async () => {
        const found = await Promise.all(
          [own, acme, beta, old].map(({ token }) => sessions.findByToken(token)),
        );
        return found.flatMap((session) => session?.organizationId ?? []);
      };
      expect(await living()).to.deep.equal([ACME, BETA]);
      expect(await sessions.useToken(old.token)).to.deep.equal({ outcome: 'refused' });
      expect(await sessions.revokeAll(userId, { organizationId: ACME })).to.equal(1);
      expect(await living()).to.deep.equal([BETA]);
      for (const [session, by] of [
        [acme, userId],
        [beta, randomUUID()],
        [old, userId],
      ] as const)
        expect(await sessions.revokeOf(by, session.session.sessionId)).to.equal(false);
      expect(await living()).to.deep.equal([BETA]);
      expect(await sessions.findByToken(own.token)).to.deep.equal(own.session);
      await sessions.revoke(own.session.sessionId);
      expect(await sessions.useToken(own.token)).to.deep.equal({ outcome: 'refused' });
      const more = await open(userId, null);
      expect(await sessions.revokeOf(userId, more.session.sessionId)).to.equal(true);
      expect(await sessions.useToken(more.token)).to.deep.equal({ outcome: 'refused' });
      expect(await sessions.revokeAll(userId)).to.equal(1);
      expect(await living()).to.be.empty;
    });
  });
};

for (const subject of METADATA) {
  describe(`the people of the metadata ${subject.name}`, function () {
    this.timeout(60_000);
    keepsPeople(subject);
  });
}
