import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { OrganizationAlreadyExistsError } from '../../domain/organizations/errors.ts';
import { DATABASE_STATES } from '../../domain/databases/results-database.ts';
import type { User } from '../../domain/identity/user-repository.ts';
import type { AuditKey } from '../../domain/audit/audit-log.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Page, PageRequest } from '../../domain/page.ts';
import { organizationId } from '../support/deployment.ts';
import { rejectionOf } from '../support/gate.ts';
import { METADATA, type MetadataSubject, type Subject } from './subjects.ts';

const [ACME, BETA] = [organizationId('acme'), organizationId('beta')];
const HASH = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA';
const NOBODY = '00000000-0000-4000-8000-000000000000';

/** All items, a few at a time. */
const inPages = async <Item>(
  list: (page: PageRequest<string>) => Promise<Page<Item, string>>,
  limit = 2,
): Promise<readonly Item[]> => {
  const items: Item[] = [];
  let after: string | null = null;
  do {
    const page: Page<Item, string> = await list({ limit, after });
    expect(page.items.length).to.be.at.most(limit);
    items.push(...page.items);
    after = page.next;
  } while (after !== null);
  return items;
};

const keepsMetadata = (subject: Subject<MetadataSubject>): void => {
  let metadata: MetadataDatabase;
  let ledger: DatabaseLedger;
  let addDatabase: MetadataSubject['addDatabase'];

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    ({ metadata, ledger, addDatabase } = await subject.empty());
  });

  const register = async (...ids: readonly OrganizationId[]): Promise<void> => {
    for (const id of ids) await metadata.organizations.insert({ id, name: id });
  };
  const insertUser = async (email: string): Promise<User> => {
    const user = await metadata.users.insert({ email, platformAdmin: false });
    if (user === null) throw new Error('the email is taken');
    return user;
  };

  describe('organizations', () => {
    it('are made once, also when many try at the same time', async () => {
      const name = `A 'name' with $1, ? and é😀`;
      const attempts = await Promise.allSettled(
        Array.from({ length: 10 }, () => metadata.organizations.insert({ id: ACME, name })),
      );
      const refusals = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
      expect(refusals).to.have.length(9);
      for (const refusal of refusals) expect(refusal).to.be.instanceOf(OrganizationAlreadyExistsError);
      expect(await metadata.organizations.find(ACME)).to.include({ id: ACME, name, status: 'active' });
      expect(await metadata.organizations.find(BETA)).to.equal(null);
    });

    it('are renamed, and listed by id in pages', async () => {
      const ids = ['d', 'a', 'c', 'b', 'a-b', 'a_b', 'ab'].map((id) => organizationId(id));
      for (const id of ids) await metadata.organizations.insert({ id, name: id });
      expect(await metadata.organizations.rename(ACME, 'x')).to.equal(null);
      expect(await metadata.organizations.rename(organizationId('a'), 'x')).to.include({ name: 'x' });
      const seen = await inPages((page) => metadata.organizations.list(page));
      expect(seen.map(({ id }) => id).toSorted()).to.deep.equal(ids.toSorted());
    });

    it('have settings, empty at first, that are replaced as a whole', async () => {
      expect(await metadata.organizations.findSettings(ACME)).to.equal(null);
      expect(await rejectionOf(metadata.organizations.replaceSettings(ACME, {}))).to.be.instanceOf(
        OrganizationNotFoundError,
      );
      await register(ACME);
      expect(await metadata.organizations.findSettings(ACME)).to.deep.equal({ settings: {}, version: 0 });
      const first = await metadata.organizations.replaceSettings(ACME, { a: [1, '$1 ?'], b: null });
      const second = await metadata.organizations.replaceSettings(ACME, { b: 'é😀' });
      expect([first, second]).to.deep.equal([1, 2]);
      expect(await metadata.organizations.findSettings(ACME)).to.deep.equal({
        settings: { b: 'é😀' },
        version: 2,
      });
      expect(await metadata.organizations.findSettingsForUpdate(ACME)).to.deep.include({ version: 2 });
    });

    it('move from the status that is expected, and from no other', async () => {
      const { organizations } = metadata;
      expect(await organizations.moveStatus(ACME, 'active', 'suspended')).to.equal(false);
      await register(ACME);
      expect(await organizations.moveStatus(ACME, 'suspended', 'active')).to.equal(false);
      expect(await organizations.moveStatus(ACME, 'active', 'suspended')).to.equal(true);
      expect(await organizations.find(ACME)).to.include({ status: 'suspended' });
    });

    it('are under controls when they are suspended, or have settings that the service acts on', async () => {
      const { organizations } = metadata;
      const [a, b, c] = [organizationId('a'), organizationId('b'), organizationId('c')];
      await register(a, b, c);
      await organizations.replaceSettings(a, { theme: 'dark' });
      await organizations.replaceSettings(b, { max_connections: 2 });
      await organizations.moveStatus(c, 'active', 'suspended');
      const ofB = { organizationId: b, status: 'active', settings: { max_connections: 2 } };
      const ofC = { organizationId: c, status: 'suspended', settings: {} };
      expect(await organizations.listControls(null)).to.have.deep.members([ofB, ofC]);
      expect(await organizations.listControls([a, c])).to.deep.equal([ofC]);
    });
  });

  describe('the records of results databases', () => {
    it('are looked up with the organization, which need not have a database', async () => {
      expect(await ledger.find(ACME)).to.equal(null);
      expect(await ledger.findForAccess(ACME)).to.equal(null);
      await register(ACME);
      expect(await ledger.findForAccess(ACME)).to.deep.equal({ status: 'active', record: null });
      await addDatabase(ACME, 'ready');
      const record = await ledger.find(ACME);
      expect(record).to.include({ organizationId: ACME, state: 'ready', generation: 1, schemaVersion: 1 });
      expect(await ledger.findForAccess(ACME)).to.deep.equal({ status: 'active', record });
    });

    it('stay as they are when the organization is suspended: its status alone says so', async () => {
      await register(ACME);
      await addDatabase(ACME, 'ready');
      const record = await ledger.find(ACME);
      await metadata.organizations.moveStatus(ACME, 'active', 'suspended');
      expect(await ledger.findForAccess(ACME)).to.deep.equal({ status: 'suspended', record });
      await metadata.organizations.moveStatus(ACME, 'suspended', 'active');
      expect(await ledger.findForAccess(ACME)).to.deep.equal({ status: 'active', record });
    });

    it('are listed and counted by state', async () => {
      const empty = Object.fromEntries(DATABASE_STATES.map((state) => [state, 0]));
      expect(await ledger.countByState()).to.deep.equal(empty);
      const ids = ['a', 'b', 'c', 'd', 'e'].map((id) => organizationId(id));
      await register(...ids);
      for (const [index, id] of ids.entries()) {
        await addDatabase(id, DATABASE_STATES[index % DATABASE_STATES.length] ?? 'ready');
      }
      expect(await ledger.countByState()).to.deep.equal({
        ...Object.fromEntries(DATABASE_STATES.map((state) => [state, 1])),
        provisioning: 2,
      });
      const list = async (state: (typeof DATABASE_STATES)[number] | null) =>
        (await inPages((page) => ledger.list({ state }, page))).map((record) => record.organizationId);
      expect(await list(null)).to.deep.equal(ids);
      expect(await list('provisioning')).to.deep.equal(['a', 'e']);
      for (const [index, state] of (['ready', 'failed', 'retiring'] as const).entries())
        expect(await list(state)).to.deep.equal([ids[index + 1]]);
    });
  });

  describe('the audit trail', () => {
    const event = (index: number, organization = ACME) => ({
      organizationId: organization,
      userId: index % 2 === 0 ? 'user-1' : null,
      action: index % 3 === 0 ? 'job.moved' : 'job.submitted',
      entityType: 'job',
      entityId: `${index}`,
      details: { index, text: `$1 ? 'é😀'` },
      requestId: null,
    });

    it('is listed newest first, in pages, per organization and action', async () => {
      for (let i = 0; i < 10; i += 1) await metadata.auditLog.append(event(i));
      await metadata.auditLog.append(event(99, BETA));
      const list = async (action: string | null, limit: number): Promise<readonly string[]> => {
        const seen: string[] = [];
        let after: AuditKey | null = null;
        do {
          const page: { items: readonly { entityId: string }[]; next: AuditKey | null } =
            await metadata.auditLog.list(ACME, { action }, { limit, after });
          seen.push(...page.items.map(({ entityId }) => entityId));
          after = page.next;
          // What is added meanwhile comes before the first page.
          if (seen.length < 4) await metadata.auditLog.append(event(100 + seen.length));
        } while (after !== null);
        return seen;
      };
      expect(await list(null, 3)).to.deep.equal(['9', '8', '7', '6', '5', '4', '3', '2', '1', '0']);
      expect((await list('job.moved', 50)).filter((id) => id.length === 1)).to.deep.equal([
        '9',
        '6',
        '3',
        '0',
      ]);
      const [entry] = (await metadata.auditLog.list(BETA, { action: null }, { limit: 5, after: null })).items;
      expect(entry).to.deep.include(event(99, BETA));
      expect(entry?.at).to.be.instanceOf(Date);
    });

    it('of what concerns no single organization is a list of its own', async () => {
      await metadata.auditLog.append({ ...event(1), organizationId: null, address: '192.0.2.1' });
      await metadata.auditLog.append(event(2));
      const list = async (id: OrganizationId | null) =>
        (await metadata.auditLog.list(id, { action: null }, { limit: 5, after: null })).items;
      expect((await list(null)).map(({ entityId, address }) => [entityId, address])).to.deep.equal([
        ['1', '192.0.2.1'],
      ]);
      expect((await list(ACME)).map(({ entityId, address }) => [entityId, address])).to.deep.equal([
        ['2', null],
      ]);
    });

    it('of what was rolled back holds nothing', async () => {
      await rejectionOf(
        metadata.transaction(async ({ auditLog, organizations }) => {
          await organizations.insert({ id: ACME, name: 'x' });
          await auditLog.append(event(1));
          throw new Error('changed my mind');
        }),
      );
      const { items } = await metadata.auditLog.list(ACME, { action: null }, { limit: 5, after: null });
      expect(items).to.be.empty;
      expect(await metadata.organizations.find(ACME)).to.equal(null);
    });
  });

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
        mustChange: false,
        active: true,
        platformAdmin: true,
      });
      expect(await metadata.users.findPasswordIdentity('bob@example.org')).to.equal(null);
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

    it('are listed in the order of their ids, and by email in any case', async () => {
      const users = [];
      for (let i = 0; i < 5; i += 1) users.push(await insertUser(`User-${i}@example.org`));
      const list = (email: string | null) => inPages((page) => metadata.users.list({ email }, page));
      expect(await list(null)).to.deep.equal(users.toSorted((a, b) => (a.userId < b.userId ? -1 : 1)));
      expect(await list('uSER-3@example.org')).to.deep.equal([users[3]]);
      expect(await list('nobody@example.org')).to.be.empty;
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
        mustChange: false,
        active: false,
        platformAdmin: true,
      });
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
        active: true,
        roles: ['member', 'worker'],
      });
      expect(await metadata.members.add(ACME, userId, ['org_admin'])).to.equal(null);
      expect(await metadata.members.findForUpdate(ACME, userId)).to.deep.equal(added);
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
      expect(await metadata.members.findForUpdate(BETA, userId)).to.deep.include({ roles: ['member'] });
      await metadata.members.remove(ACME, userId);
      expect(await metadata.members.findForUpdate(ACME, userId)).to.equal(null);
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
      await metadata.sessions.open(session, lifetimeSeconds);
      await metadata.sessions.addToken(session.sessionId, token);
      return { session, token };
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
      await sessions.revokeAll(userId, { organizationId: ACME });
      expect(await living()).to.deep.equal([BETA]);
      expect(await sessions.findByToken(own.token)).to.deep.equal(own.session);
      await sessions.revoke(own.session.sessionId);
      expect(await sessions.useToken(own.token)).to.deep.equal({ outcome: 'refused' });
      await sessions.revokeAll(userId);
      expect(await living()).to.be.empty;
    });
  });
};

for (const subject of METADATA) {
  describe(`the metadata ${subject.name}`, function () {
    this.timeout(60_000);
    keepsMetadata(subject);
  });
}
