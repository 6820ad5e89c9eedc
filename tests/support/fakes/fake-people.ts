import type { MetadataRepositories } from '../../../application/ports/databases/metadata-database.ts';
import { canonicalEmail } from '../../../domain/identity/email.ts';
import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { ExternalIdentity } from '../../../domain/identity/identity-repository.ts';
import type { Member } from '../../../domain/identity/member-repository.ts';
import type { OrganizationRole } from '../../../domain/identity/role.ts';
import type { OpenSession, Session } from '../../../domain/identity/session-repository.ts';
import type { User } from '../../../domain/identity/user-repository.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { toPage } from '../../../domain/page.ts';
import { saveMap } from './fake-transactions.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');
const SESSIONS_END = new Date('2030-01-02T03:04:05.678Z');

interface Person {
  readonly userId: string;
  readonly email: string;
  readonly passwordHash: string | null;
  readonly mustChange: boolean;
  readonly active: boolean;
  readonly platformAdmin: boolean;
  /** Only invitations know the user so far. */
  readonly placeholder: boolean;
  readonly memberships: ReadonlyMap<OrganizationId, readonly OrganizationRole[]>;
  readonly invitations: ReadonlyMap<OrganizationId, { email: string; roles: readonly OrganizationRole[] }>;
  readonly identities: readonly ExternalIdentity[];
}

interface StoredSession {
  readonly session: OpenSession;
  readonly isOver: boolean;
  /** Hashes as hex, and whether they were used. */
  readonly tokens: ReadonlyMap<string, boolean>;
}

/** Users, members, identities and sessions in memory. */
export class FakePeople {
  readonly #people = new Map<string, Person>();
  readonly #sessions = new Map<string, StoredSession>();
  /** Session ids by the hashes of browsers' secrets. */
  readonly #browsers = new Map<string, string>();
  readonly #isRegistered: (organizationId: OrganizationId) => boolean;

  constructor(isRegistered: (organizationId: OrganizationId) => boolean) {
    this.#isRegistered = isRegistered;
  }

  readonly users: MetadataRepositories['users'] = {
    findPasswordIdentity: async (email) => {
      const person = this.#byEmail(email);
      if (person === undefined || person.passwordHash === null) return null;
      const { userId, passwordHash } = person;
      return { userId, passwordHash };
    },
    lock: async (userId) => toUser(this.#people.get(userId)),
    lockPasswordHash: async (userId) => this.#people.get(userId)?.passwordHash ?? null,
    listMemberships: async (userId) =>
      [...(this.#people.get(userId)?.memberships ?? [])].map(([organizationId, roles]) => ({
        organizationId,
        roles,
      })),
    ensureUser: async (user) => {
      const existing = this.#byEmail(user.email);
      const userId = existing?.userId ?? `user of ${user.email}`;
      if (existing === undefined) this.add({ userId, ...user });
      return { userId, created: existing === undefined };
    },
    insert: async (user) => {
      const existing = this.#byEmail(user.email);
      if (existing === undefined) this.add({ userId: `user of ${user.email}`, ...user });
      else if (!isFree(existing)) return null;
      else this.#update(existing.userId, (person) => ({ ...person, ...user, placeholder: false }));
      return this.users.findByEmail(user.email);
    },
    insertPlaceholder: async (email) => {
      if (this.#byEmail(email) !== undefined) return null;
      this.add({ userId: `user of ${email}`, email, placeholder: true });
      return this.users.findByEmail(email);
    },
    find: async (userId) => toUser(this.#people.get(userId)),
    findByEmail: async (email) => toUser(this.#byEmail(email)),
    list: async ({ email, prefix = null }, { limit, after }) => {
      const following = [...this.#people.values()]
        .filter((person) => prefix === null || person.email.toLowerCase().startsWith(prefix.toLowerCase()))
        .filter((person) => email === null || person === this.#byEmail(email))
        .filter(({ userId }) => after === null || userId > after)
        .toSorted((a, b) => (a.userId < b.userId ? -1 : 1))
        .flatMap((person) => toUser(person) ?? []);
      return toPage(following, limit, ({ userId }) => userId);
    },
    hasPlatformAdministrator: async () =>
      [...this.#people.values()].some(({ active, platformAdmin }) => active && platformAdmin),
    change: async (userId, { active, platformAdmin, mustChangePassword }) => {
      this.#update(userId, (person) => ({
        ...person,
        active: active ?? person.active,
        platformAdmin: platformAdmin ?? person.platformAdmin,
        mustChange: person.passwordHash !== null && (mustChangePassword ?? person.mustChange),
      }));
      return this.users.find(userId);
    },
    setPassword: async (userId, { hash: passwordHash, mustChange }) => {
      this.#update(userId, (person) => ({ ...person, passwordHash, mustChange }));
    },
  };

  readonly members: MetadataRepositories['members'] = {
    list: async (organizationId, { limit, after }) => {
      const following = [...this.#people.keys()]
        .filter((userId) => after === null || userId > after)
        .toSorted()
        .flatMap((userId) => this.#member(organizationId, userId) ?? []);
      return toPage(following, limit, ({ userId }) => userId);
    },
    find: async (organizationId, userId) => this.#member(organizationId, userId),
    add: async (organizationId, userId, roles) => {
      if (!this.#isRegistered(organizationId)) throw new OrganizationNotFoundError();
      if (this.#people.get(userId)?.memberships.has(organizationId) === true) return null;
      this.#withdraw(userId, organizationId);
      this.join(userId, organizationId, roles);
      return this.#member(organizationId, userId);
    },
    invite: async (organizationId, userId, { email, roles }) => {
      if (!this.#isRegistered(organizationId)) throw new OrganizationNotFoundError();
      if (this.#member(organizationId, userId) !== null) return null;
      this.offer(userId, organizationId, roles, email);
      return this.#member(organizationId, userId);
    },
    listInvitations: async (userId) =>
      [...(this.#people.get(userId)?.invitations ?? [])].map(([organizationId, { roles }]) => ({
        organizationId,
        roles,
        createdAt: NOW,
      })),
    setRoles: async (organizationId, userId, roles) => {
      const member = this.#member(organizationId, userId);
      if (member?.status === 'invited') this.offer(userId, organizationId, roles, member.email);
      else if (member !== null) this.join(userId, organizationId, roles);
      return this.#member(organizationId, userId);
    },
    remove: async (organizationId, userId) => {
      this.#withdraw(userId, organizationId);
      this.#update(userId, ({ memberships, ...person }) => ({
        ...person,
        memberships: new Map([...memberships].filter(([id]) => id !== organizationId)),
      }));
    },
  };

  readonly identities: MetadataRepositories['identities'] = {
    list: async (userId) => this.#people.get(userId)?.identities ?? [],
    link: async (userId, { issuer, subject }) => {
      const linked = { identityId: `identity of ${subject} at ${issuer}`, issuer, subject, createdAt: NOW };
      const all = [...this.#people.values()].flatMap(({ identities }) => identities);
      if (all.some((other) => other.issuer === issuer && other.subject === subject)) return null;
      this.link(userId, linked);
      return linked;
    },
    unlink: async (userId, identityId) => {
      const identities = this.#people.get(userId)?.identities ?? [];
      const unlinked = identities.find((identity) => identity.identityId === identityId);
      this.#update(userId, (person) => ({
        ...person,
        identities: identities.filter((identity) => identity !== unlinked),
      }));
      return unlinked ?? null;
    },
  };

  readonly sessions: MetadataRepositories['sessions'] = {
    open: async (session, lifetimeSeconds) => {
      const isOver = lifetimeSeconds <= 0;
      const opened = { ...session, expiresAt: SESSIONS_END };
      this.#sessions.set(session.sessionId, { session: opened, isOver, tokens: new Map() });
      return SESSIONS_END;
    },
    addToken: async (sessionId, hash) => {
      this.#setToken(sessionId, hash, false);
    },
    useToken: async (hash) => {
      const stored = this.#sessionOf(hash);
      if (stored === undefined) return { outcome: 'refused' };
      const { session, tokens } = stored;
      const used = tokens.get(hexOf(hash)) === true;
      this.#setToken(session.sessionId, hash, true);
      return { outcome: used ? 'reused' : 'used', session };
    },
    findByToken: async (hash) => this.#sessionOf(hash)?.session ?? null,
    addBrowser: async (sessionId, hash) => {
      this.#browsers.set(hexOf(hash), sessionId);
    },
    findBrowser: async (hash) => {
      const stored = this.#sessions.get(this.#browsers.get(hexOf(hash)) ?? '');
      if (stored === undefined || stored.isOver) return null;
      const { sessionId, userId, expiresAt } = stored.session;
      return { sessionId, userId, idleSeconds: 0, expiresAt };
    },
    noteUse: async () => undefined,
    listLive: async (userId) => {
      const browsers = new Set(this.#browsers.values());
      return [...this.#sessions.values()]
        .filter(({ session, isOver }) => session.userId === userId && !isOver)
        .map(({ session: { sessionId, organizationId, expiresAt } }) => ({
          sessionId,
          organizationId,
          isBrowser: browsers.has(sessionId),
          openedAt: NOW,
          usedAt: browsers.has(sessionId) ? NOW : null,
          expiresAt,
        }))
        .toReversed();
    },
    revoke: async (sessionId) => void this.#revoke((session) => session.sessionId === sessionId),
    revokeOf: async (userId, sessionId) =>
      this.#revoke((session) => session.userId === userId && session.sessionId === sessionId) > 0,
    revokeAll: async (userId, { organizationId } = {}) =>
      this.#revoke(
        (session) =>
          session.userId === userId &&
          (organizationId === undefined || session.organizationId === organizationId),
      ),
  };

  /** Returns what puts everything back as it is now. */
  save(): readonly (() => void)[] {
    return [saveMap(this.#people), saveMap(this.#sessions), saveMap(this.#browsers)];
  }

  add(person: { userId: string; email: string } & Partial<Person>): void {
    this.#people.set(person.userId, {
      passwordHash: null,
      mustChange: false,
      active: true,
      platformAdmin: false,
      placeholder: false,
      memberships: new Map(),
      invitations: new Map(),
      identities: [],
      ...person,
    });
  }

  join(userId: string, organizationId: OrganizationId, roles: readonly OrganizationRole[]): void {
    this.#update(userId, ({ memberships, ...person }) => ({
      ...person,
      memberships: new Map([...memberships, [organizationId, roles]]),
    }));
  }

  /** Invites the user. */
  offer(
    userId: string,
    organizationId: OrganizationId,
    roles: readonly OrganizationRole[],
    email = 'as the invitation spells it',
  ): void {
    this.#update(userId, ({ invitations, ...person }) => ({
      ...person,
      invitations: new Map([...invitations, [organizationId, { email, roles }]]),
    }));
  }

  #withdraw(userId: string, organizationId: OrganizationId): void {
    this.#update(userId, ({ invitations, ...person }) => ({
      ...person,
      invitations: new Map([...invitations].filter(([id]) => id !== organizationId)),
    }));
  }

  link(userId: string, identity: Omit<ExternalIdentity, 'createdAt'>): void {
    this.#update(userId, ({ identities, ...person }) => ({
      ...person,
      identities: [...identities, { ...identity, createdAt: NOW }],
    }));
  }

  #byEmail(email: string): Person | undefined {
    return [...this.#people.values()].find(
      (person) => canonicalEmail(person.email) === canonicalEmail(email),
    );
  }

  #update(userId: string, change: (person: Person) => Person): void {
    const person = this.#people.get(userId);
    if (person !== undefined) this.#people.set(userId, change(person));
  }

  #member(organizationId: OrganizationId, userId: string): Member | null {
    const person = this.#people.get(userId);
    const roles = person?.memberships.get(organizationId);
    const offered = person?.invitations.get(organizationId);
    const common = { userId, createdAt: NOW, updatedAt: NOW };
    if (offered !== undefined) return { ...common, ...offered, status: 'invited' };
    if (person === undefined || roles === undefined) return null;
    return { ...common, email: person.email, status: person.active ? 'active' : 'disabled', roles };
  }

  #sessionOf(hash: Uint8Array): StoredSession | undefined {
    return [...this.#sessions.values()].find(({ isOver, tokens }) => !isOver && tokens.has(hexOf(hash)));
  }

  #setToken(sessionId: string, hash: Uint8Array, used: boolean): void {
    const stored = this.#sessions.get(sessionId);
    if (stored === undefined) return;
    this.#sessions.set(sessionId, { ...stored, tokens: new Map([...stored.tokens, [hexOf(hash), used]]) });
  }

  /** Returns how many were not over. */
  #revoke(fits: (session: Session) => boolean): number {
    const ended = [...this.#sessions].filter(([, { session, isOver }]) => !isOver && fits(session));
    for (const [sessionId, stored] of ended) this.#sessions.set(sessionId, { ...stored, isOver: true });
    return ended.length;
  }
}

/** Whether a user may still be made under the email. */
const isFree = ({ placeholder, passwordHash, identities }: Person): boolean =>
  placeholder && passwordHash === null && identities.length === 0;

const hexOf = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');

const toUser = (person: Person | undefined): User | null =>
  person === undefined
    ? null
    : {
        userId: person.userId,
        email: person.email,
        active: person.active,
        platformAdmin: person.platformAdmin,
        hasPassword: person.passwordHash !== null,
        mustChangePassword: person.mustChange,
        createdAt: NOW,
        updatedAt: NOW,
      };
