import { SessionNotFoundError } from '../../domain/identity/errors.ts';
import type { LiveSession } from '../../domain/identity/session-repository.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';
import { findUser, lockUser } from './find-user.ts';

/** A user's sessions that are not over, the latest first. @throws {UserNotFoundError} */
export const listUserSessions =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  async (userId: string): Promise<readonly LiveSession[]> => {
    await findUser(metadata, userId);
    return metadata.sessions.listLive(userId);
  };

/**
 * Ends one session of a user, or (null) all of them, with the tokens that were made in them, in every process within a second.
 *
 * @throws {UserNotFoundError}
 * @throws {SessionNotFoundError} when it is over already
 */
export const endUserSessions =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, userId: string, sessionId: string | null): Promise<void> =>
    metadata.transaction(async (repositories) => {
      const { sessions, auditLog } = repositories;
      await lockUser(repositories, userId);
      const ended =
        sessionId === null
          ? await sessions.revokeAll(userId)
          : Number(await sessions.revokeOf(userId, sessionId));
      if (sessionId !== null && ended === 0) throw new SessionNotFoundError();
      await auditLog.append({
        organizationId: null,
        action: 'user.sessions_ended',
        entityType: 'user',
        entityId: userId,
        details: { sessions: ended, ...(sessionId !== null && { session_id: sessionId }) },
        ...causedBy(actor),
      });
    });
