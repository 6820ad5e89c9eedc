import { UnauthenticatedError, UserNotFoundError } from '../../domain/identity/errors.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';
import { findUser, lockUser } from './find-user.ts';
import { replacePassword } from './replace-password.ts';

/**
 * Replaces the caller's password. All sessions end, the caller's too. Attempts are counted as those of a login are: a
 * stolen token must not become a way to guess the password.
 *
 * @throws {ValidationError} when the present password is wrong
 * @throws {UserNotFoundError} when the caller has no password here
 * @throws {UnauthenticatedError} when the account was disabled meanwhile
 * @throws {TooManyAttemptsError}
 */
export const changeOwnPassword =
  ({ metadata, passwords, loginAttempts }: Pick<Ports, 'metadata' | 'passwords' | 'loginAttempts'>) =>
  async (
    actor: Actor,
    { password, newPassword }: { readonly password: string; readonly newPassword: string },
  ): Promise<void> => {
    const { email, userId, hasPassword } = await findUser(metadata, actor.principal.userId);
    if (!hasPassword) throw new UserNotFoundError();
    const address = actor.address ?? 'unknown';
    await loginAttempts.begin(email, address);
    const identity = await metadata.users.findPasswordIdentity(email);
    const isRight = await passwords.verify(password, identity?.passwordHash ?? null);
    if (identity === null || !isRight) throw new ValidationError([WRONG]);
    await loginAttempts.succeed(email, address);
    const hash = await passwords.hash(newPassword);
    await metadata.transaction(async (repositories) => {
      const user = await lockUser(repositories, userId);
      if (!user.active) throw new UnauthenticatedError();
      const current = await repositories.users.lockPasswordHash(userId);
      if (current !== identity.passwordHash) throw new ValidationError([WRONG]);
      await replacePassword(repositories, causedBy(actor), userId, { hash, mustChange: false });
    });
  };

const WRONG = { path: 'password', message: 'is not the present password' };
