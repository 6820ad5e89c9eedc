import { UserNotFoundError } from '../../domain/identity/errors.ts';
import type { User } from '../../domain/identity/user-repository.ts';
import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';

/** @throws {UserNotFoundError} */
export const getUser =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (userId: string): Promise<User> =>
    findUser(metadata, userId);

/** Locks the user until the transaction ends. @throws {UserNotFoundError} */
export const lockUser = async (
  { users }: Pick<MetadataRepositories, 'users'>,
  userId: string,
): Promise<User> => {
  const user = await users.lock(userId);
  if (user === null) throw new UserNotFoundError();
  return user;
};

/** For use within a transaction. @throws {UserNotFoundError} */
export const findUser = async (
  { users }: Pick<MetadataRepositories, 'users'>,
  userId: string,
): Promise<User> => {
  const user = await users.find(userId);
  if (user === null) throw new UserNotFoundError();
  return user;
};
