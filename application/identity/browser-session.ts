import {
  OrganizationAccessDeniedError,
  PasswordChangeRequiredError,
  RoleRequiredError,
  UnauthenticatedError,
} from '../../domain/identity/errors.ts';
import type { BrowserSession } from '../../domain/identity/session-repository.ts';
import type { Membership, PasswordIdentity, User } from '../../domain/identity/user-repository.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import type { Origin } from '../origin.ts';
import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { IssuedToken } from '../ports/identity/tokens.ts';
import type { Ports } from '../ports/ports.ts';
import { lockAccount, provePassword, REFUSAL, type Credentials } from './issue-token.ts';
import { principalNow } from './refresh-session.ts';
import { replacePassword } from './replace-password.ts';

type BrowserPorts = Pick<
  Ports,
  'metadata' | 'passwords' | 'loginAttempts' | 'refreshTokens' | 'accessTokens' | 'newSessionId' | 'now'
>;

/** A browser's session ends after this time, whatever is done in it. */
export const BROWSER_SESSION_SECONDS = 7 * 24 * 3600;
/** Without a new token it ends sooner; that of a platform administrator soonest. */
const IDLE_SECONDS = 8 * 3600;
const OPERATOR_IDLE_SECONDS = 3600;
const TOKEN_SECONDS = 15 * 60;

/** Whom a browser's session belongs to, and where it may act. */
export interface BrowserView {
  readonly user: User;
  readonly memberships: readonly Membership[];
  readonly expiresAt: Date;
}

interface Opening extends Omit<Credentials, 'organizationId'> {
  /** The secret of the session that the browser had; null for none. */
  readonly former: string | null;
}

/**
 * Opens a session of a browser. Ends the session that the browser had: the new cookie replaces the only one that could log that
 * session out. That one ends when nothing refuses the login any more, and before anything else is written: a login that failed half
 * way may be sent again. The secret that it returns is good for one thing: to make access tokens.
 *
 * @returns the secret of the browser's cookie
 * @throws {UnauthenticatedError} the same, after the same work, for every cause
 * @throws {PasswordChangeRequiredError} when the password is right and has to be replaced
 * @throws {TooManyAttemptsError}
 */
export const openBrowserSession =
  (ports: BrowserPorts) =>
  async ({ former, ...credentials }: Opening, origin: Origin): Promise<string> => {
    const { metadata, passwords, refreshTokens } = ports;
    const { newPassword } = credentials;
    const identity = await provePassword(ports, credentials, origin);
    const newHash = newPassword === null ? null : await passwords.hash(newPassword);
    if (former !== null) {
      await metadata.transaction((repositories) => lockAdmitted(repositories, identity, newHash));
      // It may be another user's. A transaction that locks sessions of two users could wait for one that waits for it.
      await endBrowserSession(ports)(former);
    }
    return metadata.transaction(async (repositories) => {
      const userId = await lockAdmitted(repositories, identity, newHash);
      if (newHash !== null)
        await replacePassword(repositories, { userId, ...origin }, userId, {
          hash: newHash,
          mustChange: false,
        });
      const sessionId = ports.newSessionId();
      await repositories.sessions.open({ sessionId, userId, organizationId: null }, BROWSER_SESSION_SECONDS);
      const { token, hash } = refreshTokens.create();
      await repositories.sessions.addBrowser(sessionId, hash);
      return token;
    });
  };

/**
 * Locks the user, and says who it is.
 *
 * @throws {UnauthenticatedError}
 * @throws {PasswordChangeRequiredError}
 */
const lockAdmitted = async (
  repositories: MetadataRepositories,
  identity: PasswordIdentity,
  newHash: string | null,
): Promise<string> => {
  const account = await lockAccount(repositories, identity);
  if (account.mustChangePassword && newHash === null) throw new PasswordChangeRequiredError();
  if (!account.platformAdmin && account.memberships.length === 0 && !account.invited)
    throw new UnauthenticatedError(REFUSAL);
  return account.userId;
};

/**
 * Makes an access token for one of the user's organizations, or (null) as platform administrator or as who is only invited. It
 * says when the password was given last: at the login, unless it was given again.
 *
 * @param confirmedAt in seconds since 1970
 * @throws {UnauthenticatedError} when the session is over
 * @throws {OrganizationAccessDeniedError} when the user is no member there, or there is no such organization
 * @throws {RoleRequiredError} when the user is no platform administrator
 */
export const makeBrowserToken =
  (ports: BrowserPorts) =>
  async (
    secret: string,
    organizationId: OrganizationId | null,
    confirmedAt: number | null = null,
  ): Promise<IssuedToken> => {
    const token = await ports.metadata.transaction(async (repositories) => {
      const live = await findLive(ports, repositories, secret);
      if (live === null) return null;
      const { sessionId, userId, expiresAt } = live.session;
      const principal = await principalNow(repositories, { userId, organizationId });
      if (principal === null)
        throw organizationId === null
          ? new RoleRequiredError(['platform_admin'])
          : new OrganizationAccessDeniedError();
      await repositories.sessions.noteUse(sessionId);
      const openedAt = Math.floor(expiresAt.getTime() / 1000) - BROWSER_SESSION_SECONDS;
      const authTime = confirmedAt ?? openedAt;
      const session = { sessionId, atMostSeconds: TOKEN_SECONDS, endsAt: expiresAt, authTime };
      return ports.accessTokens.issue(principal, session);
    });
    if (token === null) throw new UnauthenticatedError(OVER);
    return token;
  };

/**
 * Makes a token that says that the password was given just now. Attempts are counted as those of a login are.
 *
 * @throws {ValidationError} when the password is wrong
 * @throws {TooManyAttemptsError}
 * @throws see `makeBrowserToken`
 */
export const confirmBrowserSession = (ports: BrowserPorts) => {
  const makeToken = makeBrowserToken(ports);
  const view = viewBrowserSession(ports);
  return async (
    secret: string,
    {
      password,
      organizationId,
    }: { readonly password: string; readonly organizationId: OrganizationId | null },
    origin: Origin,
  ): Promise<IssuedToken> => {
    const { user } = await view(secret);
    try {
      await provePassword(ports, { email: user.email, password }, origin);
    } catch (error) {
      if (error instanceof UnauthenticatedError) throw new ValidationError([WRONG]);
      throw error;
    }
    return makeToken(secret, organizationId, Math.floor(ports.now() / 1000));
  };
};

/** @throws {UnauthenticatedError} when the session is over */
export const viewBrowserSession =
  (ports: BrowserPorts) =>
  async (secret: string): Promise<BrowserView> => {
    const view = await ports.metadata.transaction(async (repositories) => {
      const live = await findLive(ports, repositories, secret);
      if (live === null) return null;
      const { user, session } = live;
      const memberships = await repositories.users.listMemberships(user.userId);
      return { user, memberships, expiresAt: session.expiresAt };
    });
    if (view === null) throw new UnauthenticatedError(OVER);
    return view;
  };

/** Ends a session, with all tokens of it. Safe to repeat; says nothing about secrets that it does not know. */
export const endBrowserSession =
  ({ metadata, refreshTokens }: Pick<BrowserPorts, 'metadata' | 'refreshTokens'>) =>
  (secret: string): Promise<void> =>
    metadata.transaction(async ({ sessions }) => {
      const session = await sessions.findBrowser(refreshTokens.hashOf(secret));
      if (session !== null) await sessions.revoke(session.sessionId);
    });

const OVER = 'The session is over: log in again.';
const WRONG = { path: 'password', message: 'is not the present password' };

/** Null when the session is over: what is written on that occasion has to be committed. */
const findLive = async (
  { refreshTokens }: Pick<BrowserPorts, 'refreshTokens'>,
  { sessions, users }: MetadataRepositories,
  secret: string,
): Promise<{ readonly session: BrowserSession; readonly user: User } | null> => {
  const session = await sessions.findBrowser(refreshTokens.hashOf(secret));
  if (session === null) return null;
  const user = await users.find(session.userId);
  const longestIdle = user?.platformAdmin === true ? OPERATOR_IDLE_SECONDS : IDLE_SECONDS;
  if (user !== null && user.active && !user.mustChangePassword && session.idleSeconds <= longestIdle)
    return { session, user };
  await sessions.revoke(session.sessionId);
  return null;
};
