import type { Ports } from '../ports/ports.ts';

/** Ends the session of a refresh token, used up or not. Safe to repeat; says nothing about tokens it does not know. */
export const endSession =
  ({ metadata, refreshTokens }: Pick<Ports, 'metadata' | 'refreshTokens'>) =>
  (refreshToken: string): Promise<void> => {
    const hash = refreshTokens.hashOf(refreshToken);
    return metadata.transaction(async ({ sessions }) => {
      const session = await sessions.findByToken(hash);
      if (session !== null) await sessions.revoke(session.sessionId);
    });
  };
