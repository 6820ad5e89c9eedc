import { causedBy, type Actor } from '../actor.ts';
import { lockUser } from '../identity/find-user.ts';
import { replacePassword } from '../identity/replace-password.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Gives somebody a password, which has to be changed at the next login. All of the user's sessions end.
 *
 * @throws {UserNotFoundError}
 */
export const setPassword =
  ({ metadata, passwords }: Pick<Ports, 'metadata' | 'passwords'>) =>
  async (actor: Actor, userId: string, password: string): Promise<void> => {
    const hash = await passwords.hash(password);
    await metadata.transaction(async (repositories) => {
      await lockUser(repositories, userId);
      await replacePassword(repositories, causedBy(actor), userId, { hash, mustChange: true });
    });
  };
