import { causedBy, type Actor } from '../actor.ts';
import { findUser } from '../identity/find-user.ts';
import { replacePassword } from '../identity/replace-password.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { Passwords } from '../ports/identity/passwords.ts';

export class SetPassword {
  readonly #metadata: MetadataDatabase;
  readonly #passwords: Passwords;

  constructor(metadata: MetadataDatabase, passwords: Passwords) {
    this.#metadata = metadata;
    this.#passwords = passwords;
  }

  /**
   * Gives somebody a password, which has to be changed at the next login. All of the user's sessions end.
   *
   * @throws {UserNotFoundError}
   */
  async execute(actor: Actor, userId: string, password: string): Promise<void> {
    const hash = await this.#passwords.hash(password);
    await this.#metadata.transaction(async (repositories) => {
      await findUser(repositories, userId);
      await replacePassword(repositories, causedBy(actor), userId, { hash, mustChange: true });
    });
  }
}
