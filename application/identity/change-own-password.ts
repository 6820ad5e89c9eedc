import { UserNotFoundError } from '../../domain/identity/errors.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { LoginAttempts } from '../ports/identity/login-attempts.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { Passwords } from '../ports/identity/passwords.ts';
import { findUser } from './find-user.ts';
import { replacePassword } from './replace-password.ts';

interface ChangeOwnPasswordOptions {
  readonly metadata: MetadataDatabase;
  readonly passwords: Passwords;
  readonly attempts: LoginAttempts;
}

export class ChangeOwnPassword {
  readonly #options: ChangeOwnPasswordOptions;

  constructor(options: ChangeOwnPasswordOptions) {
    this.#options = options;
  }

  /**
   * Replaces the caller's password. All sessions end, the caller's too.
   *
   * @throws {ValidationError} when the present password is wrong
   * @throws {UserNotFoundError} when the caller has no password here
   * @throws {TooManyAttemptsError} a stolen token must not become a way to guess the password
   */
  async execute(
    actor: Actor,
    { password, newPassword }: { password: string; newPassword: string },
  ): Promise<void> {
    const { metadata, passwords, attempts } = this.#options;
    const { email, userId, hasPassword } = await findUser(metadata, actor.principal.userId);
    if (!hasPassword) throw new UserNotFoundError();
    const address = actor.address ?? 'unknown';
    await attempts.begin(email, address);
    const identity = await metadata.users.findPasswordIdentity(email);
    const isRight = await passwords.verify(password, identity?.passwordHash ?? null);
    if (identity === null || !isRight) throw new ValidationError([WRONG]);
    await attempts.succeed(email, address);
    const hash = await passwords.hash(newPassword);
    await metadata.transaction(async (repositories) => {
      const current = await repositories.users.lockPasswordHash(userId);
      if (current !== identity.passwordHash) throw new ValidationError([WRONG]);
      await replacePassword(repositories, causedBy(actor), userId, { hash, mustChange: false });
    });
  }
}

const WRONG = { path: 'password', message: 'is not the present password' };
