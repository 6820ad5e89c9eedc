import type { Principal } from '../../domain/identity/principal.ts';
import type { OpenSession } from '../../domain/identity/session-repository.ts';
import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';

/** What a login brings. */
export interface SessionGrant {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
  readonly refreshExpiresInSeconds: number;
}

export type TokenPorts = Pick<Ports, 'accessTokens' | 'refreshTokens' | 'sessionLifetimeSeconds'>;

/**
 * Opens a session and makes its first two tokens.
 *
 * @param repositories of a transaction
 * @throws {UnauthenticatedError} when this service issues no tokens
 */
export const openSession = async (
  ports: TokenPorts & Pick<Ports, 'newSessionId'>,
  repositories: Pick<MetadataRepositories, 'sessions'>,
  principal: Principal,
): Promise<SessionGrant> => {
  const { userId, organizationId } = principal;
  const sessionId = ports.newSessionId();
  const expiresAt = await repositories.sessions.open(
    { sessionId, userId, organizationId },
    ports.sessionLifetimeSeconds,
  );
  return grantTokens(ports, repositories, { sessionId, expiresAt }, principal);
};

/** Makes two fresh tokens for a session that is open; neither is good for longer than the session. @param repositories of a transaction */
export const grantTokens = async (
  { accessTokens, refreshTokens, sessionLifetimeSeconds }: TokenPorts,
  { sessions }: Pick<MetadataRepositories, 'sessions'>,
  { sessionId, expiresAt }: Pick<OpenSession, 'sessionId' | 'expiresAt'>,
  principal: Principal,
): Promise<SessionGrant> => {
  const { token: refreshToken, hash } = refreshTokens.create();
  await sessions.addToken(sessionId, hash);
  return {
    ...accessTokens.issue(principal, { sessionId, endsAt: expiresAt }),
    refreshToken,
    refreshExpiresInSeconds: sessionLifetimeSeconds,
  };
};
