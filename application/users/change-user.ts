import { OwnAccountProtectedError, UserNotFoundError } from '../../domain/identity/errors.ts';
import { StateConflictError } from '../../domain/operators/errors.ts';
import type { User, UserChange } from '../../domain/identity/user-repository.ts';
import { causedBy, type Actor } from '../actor.ts';
import { lockUser } from '../identity/find-user.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Disables, enables, promotes or demotes a user, or makes the password one that has to be changed. Whatever takes
 * something away ends the user's sessions.
 *
 * @throws {UserNotFoundError}
 * @param seen what the caller saw of the user, of what it may change
 * @throws {OwnAccountProtectedError}
 * @throws {StateConflictError} when that has changed
 */
export const changeUser =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, userId: string, change: UserChange, seen: UserChange = {}): Promise<User> => {
    const takesAway =
      change.active === false || change.platformAdmin === false || change.mustChangePassword === true;
    if (userId === actor.principal.userId && (change.active === false || change.platformAdmin === false)) {
      throw new OwnAccountProtectedError();
    }
    return metadata.transaction(async ({ users, sessions, auditLog }) => {
      const before = await lockUser({ users }, userId);
      assertSeen(before, seen);
      const after = await users.change(userId, change);
      if (after === null) throw new UserNotFoundError();
      if (takesAway) await sessions.revokeAll(userId);
      await auditLog.append({
        organizationId: null,
        action: 'user.changed',
        entityType: 'user',
        entityId: userId,
        details: { before: summaryOf(before), after: summaryOf(after) },
        ...causedBy(actor),
      });
      return after;
    });
  };

const assertSeen = (user: User, seen: UserChange): void => {
  const { active = user.active, platformAdmin = user.platformAdmin } = seen;
  const { mustChangePassword = user.mustChangePassword } = seen;
  const isAsSeen =
    active === user.active &&
    platformAdmin === user.platformAdmin &&
    mustChangePassword === user.mustChangePassword;
  if (!isAsSeen) throw new StateConflictError(summaryOf(user));
};

const summaryOf = ({ active, platformAdmin, mustChangePassword }: User) => ({
  status: active ? 'active' : 'disabled',
  platform_admin: platformAdmin,
  must_change_password: mustChangePassword,
});
