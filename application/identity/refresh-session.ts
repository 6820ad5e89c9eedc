import { TooManyAttemptsError, UnauthenticatedError } from '../../domain/identity/errors.ts';
import type { Principal } from '../../domain/identity/principal.ts';
import type { Role } from '../../domain/identity/role.ts';
import type { Session } from '../../domain/identity/session-repository.ts';
import { TokenBuckets } from '../limits/token-buckets.ts';
import type { Origin } from '../origin.ts';
import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';
import { grantTokens, type SessionGrant, type TokenPorts } from './session-tokens.ts';

/**
 * Exchanges a refresh token for two fresh tokens, with the roles that the user has now. A token that comes back after
 * it was used has been stolen, from its owner or from the thief: the session ends for both.
 *
 * @throws {UnauthenticatedError} the same for every cause
 * @throws {TooManyAttemptsError} when the session refreshes too often; the token stays good
 */
export const refreshSession = (ports: TokenPorts & Pick<Ports, 'metadata'>) => {
  const refreshes = new TokenBuckets();
  return async (refreshToken: string, origin: Origin): Promise<SessionGrant> => {
    const hash = ports.refreshTokens.hashOf(refreshToken);
    // A refusal is a result and no error: what is written on its occasion has to be committed.
    const grant = await ports.metadata.transaction(async (repositories) => {
      const use = await repositories.sessions.useToken(hash);
      if (use.outcome === 'refused') return null;
      if (use.outcome === 'reused') return endStolen(repositories, use.session, origin);
      const waitMs = refreshes.take(use.session.sessionId, 1, MAX_REFRESHES);
      // Rolls back: the token was not used.
      if (waitMs > 0) throw new TooManyAttemptsError(Math.ceil(waitMs / 1000));
      const principal = await principalNow(repositories, use.session);
      if (principal !== null) return grantTokens(ports, repositories, use.session, principal);
      await repositories.sessions.revoke(use.session.sessionId);
      return null;
    });
    if (grant === null) throw new UnauthenticatedError('The refresh token is not valid.');
    return grant;
  };
};

/** A client refreshes about once in the lifetime of an access token. Each refresh leaves a row. Decision 0035. */
const MAX_REFRESHES = { perSecond: 1 / 5, burst: 60 } as const;

const endStolen = async (
  { sessions, auditLog }: MetadataRepositories,
  { sessionId, userId, organizationId }: Session,
  origin: Origin,
): Promise<null> => {
  await sessions.revoke(sessionId);
  await auditLog.append({
    organizationId,
    userId,
    action: 'session.token_reused',
    entityType: 'session',
    entityId: sessionId,
    details: {},
    ...origin,
  });
  return null;
};

/** What a session's user may do at this moment; null when that is nothing. */
export const principalNow = async (
  { users, members }: MetadataRepositories,
  { userId, organizationId }: Pick<Session, 'userId' | 'organizationId'>,
): Promise<Principal | null> => {
  const user = await users.find(userId);
  if (user === null || !user.active || user.mustChangePassword) return null;
  const memberships = await users.listMemberships(userId);
  if (organizationId === null) {
    if (user.platformAdmin) return { userId, organizationId, roles: new Set<Role>(['platform_admin']) };
    // Whoever belongs somewhere by now logs in there.
    const isGuest = memberships.length === 0 && (await members.listInvitations(userId)).length > 0;
    return isGuest ? { userId, organizationId, roles: new Set<Role>(['guest']) } : null;
  }
  const membership = memberships.find((candidate) => candidate.organizationId === organizationId);
  return membership === undefined ? null : { userId, organizationId, roles: new Set<Role>(membership.roles) };
};
