import { UserAlreadyExistsError } from '../../domain/identity/errors.ts';
import type { User } from '../../domain/identity/user-repository.ts';
import { causedBy, type Actor } from '../actor.ts';
import { findUser } from '../identity/find-user.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { Passwords } from '../ports/identity/passwords.ts';

export interface NewUser {
  readonly email: string;
  readonly platformAdmin: boolean;
  /** To be changed at the first login. Null: no password; an external identity may be linked. */
  readonly password: string | null;
}

export class CreateUser {
  readonly #metadata: MetadataDatabase;
  readonly #passwords: Passwords;

  constructor(metadata: MetadataDatabase, passwords: Passwords) {
    this.#metadata = metadata;
    this.#passwords = passwords;
  }

  /** @throws {UserAlreadyExistsError} */
  async execute(actor: Actor, { email, platformAdmin, password }: NewUser): Promise<User> {
    const hash = password === null ? null : await this.#passwords.hash(password);
    return this.#metadata.transaction(async ({ users, auditLog }) => {
      const user = await users.insert({ email, platformAdmin });
      if (user === null) throw new UserAlreadyExistsError();
      const { userId } = user;
      if (hash !== null) await users.setPassword(userId, { hash, mustChange: true });
      await auditLog.append({
        organizationId: null,
        action: 'user.created',
        entityType: 'user',
        entityId: userId,
        details: { email, platform_admin: platformAdmin, password: hash !== null },
        ...causedBy(actor),
      });
      return findUser({ users }, userId);
    });
  }
}
