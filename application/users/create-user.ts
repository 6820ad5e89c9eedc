import { UserAlreadyExistsError } from '../../domain/identity/errors.ts';
import type { User } from '../../domain/identity/user-repository.ts';
import { causedBy, type Actor } from '../actor.ts';
import { findUser } from '../identity/find-user.ts';
import type { Ports } from '../ports/ports.ts';

export interface NewUser {
  readonly email: string;
  readonly platformAdmin: boolean;
  /** To be changed at the first login. Null: no password; an external identity may be linked. */
  readonly password: string | null;
}

/** @throws {UserAlreadyExistsError} */
export const createUser =
  ({ metadata, passwords }: Pick<Ports, 'metadata' | 'passwords'>) =>
  async (actor: Actor, { email, platformAdmin, password }: NewUser): Promise<User> => {
    const hash = password === null ? null : await passwords.hash(password);
    return metadata.transaction(async ({ users, auditLog }) => {
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
  };
