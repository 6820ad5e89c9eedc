import {
  OrganizationChoiceRequiredError,
  PasswordChangeRequiredError,
  UnauthenticatedError,
} from '../../domain/identity/errors.ts';
import { chooseMembership } from '../../domain/identity/account.ts';
import type { Principal } from '../../domain/identity/principal.ts';
import type { Role } from '../../domain/identity/role.ts';
import type { Membership, PasswordIdentity } from '../../domain/identity/user-repository.ts';
import type { Origin } from '../origin.ts';
import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { Ports } from '../ports/ports.ts';
import { replacePassword } from './replace-password.ts';
import { openSession, type SessionGrant, type TokenPorts } from './session-tokens.ts';

export interface Credentials {
  readonly email: string;
  readonly password: string;
  /** Null: as platform administrator, or for the only organization that the user belongs to. */
  readonly organizationId: string | null;
  /** Chosen in place of `password`; checked by the password rule. */
  readonly newPassword: string | null;
}

/**
 * Opens a session. What decides about it is read in the transaction that opens it, from the locked user: whatever somebody
 * changed while the password was compared counts.
 *
 * @throws {UnauthenticatedError} the same, after the same work, for every cause
 * @throws {PasswordChangeRequiredError} when the password is right and has to be replaced
 * @throws {OrganizationChoiceRequiredError} when the password is right and the user has several organizations
 * @throws {TooManyAttemptsError}
 */
export const issueToken =
  (ports: TokenPorts & Pick<Ports, 'metadata' | 'passwords' | 'loginAttempts' | 'newSessionId'>) =>
  async (credentials: Credentials, origin: Origin): Promise<SessionGrant> => {
    const { metadata, passwords } = ports;
    const { newPassword } = credentials;
    const identity = await provePassword(ports, credentials, origin);
    const newHash = newPassword === null ? null : await passwords.hash(newPassword);
    return metadata.transaction(async (repositories) => {
      const account = await lockAccount(repositories, identity);
      if (account.mustChangePassword && newHash === null) throw new PasswordChangeRequiredError();
      const principal = principalFor(account, credentials.organizationId);
      if (newHash !== null) {
        const author = { userId: identity.userId, ...origin };
        await replacePassword(repositories, author, identity.userId, { hash: newHash, mustChange: false });
      }
      return openSession(ports, repositories, principal);
    });
  };

/** Counts the attempt. @throws {UnauthenticatedError} after the same work for every cause @throws {TooManyAttemptsError} */
export const provePassword = async (
  { metadata, passwords, loginAttempts }: Pick<Ports, 'metadata' | 'passwords' | 'loginAttempts'>,
  { email, password }: Pick<Credentials, 'email' | 'password'>,
  origin: Origin,
): Promise<PasswordIdentity> => {
  await loginAttempts.begin(email, origin.address);
  const identity = await metadata.users.findPasswordIdentity(email);
  const matches = await passwords.verify(password, identity?.passwordHash ?? null);
  if (identity === null || !matches) throw new UnauthenticatedError(REFUSAL);
  // Whatever else is in the way, this was no guess.
  await loginAttempts.succeed(email, origin.address);
  return identity;
};

interface LoginAccount {
  readonly userId: string;
  readonly platformAdmin: boolean;
  readonly mustChangePassword: boolean;
  readonly memberships: readonly Membership[];
  readonly invited: boolean;
}

/** @throws {UnauthenticatedError} when the user may not log in, or has another password by now */
export const lockAccount = async (
  { users, members }: MetadataRepositories,
  { userId, passwordHash }: PasswordIdentity,
): Promise<LoginAccount> => {
  const user = await users.lock(userId);
  const current = await users.lockPasswordHash(userId);
  if (user === null || !user.active || current !== passwordHash) throw new UnauthenticatedError(REFUSAL);
  const memberships = await users.listMemberships(userId);
  const invited = (await members.listInvitations(userId)).length > 0;
  return { ...user, memberships, invited };
};

/** @throws {UnauthenticatedError} @throws {OrganizationChoiceRequiredError} */
const principalFor = (account: LoginAccount, organizationId: string | null): Principal => {
  const { userId, platformAdmin, memberships, invited } = account;
  const withoutOrganization = (role: Role): Principal => ({
    userId,
    organizationId: null,
    roles: new Set([role]),
  });
  if (organizationId === null) {
    if (platformAdmin) return withoutOrganization('platform_admin');
    if (memberships.length === 0 && invited) return withoutOrganization('guest');
    if (memberships.length > 1) {
      throw new OrganizationChoiceRequiredError(memberships.map((membership) => membership.organizationId));
    }
  }
  const membership = chooseMembership(memberships, organizationId);
  if (membership === null) throw new UnauthenticatedError(REFUSAL);
  return { userId, organizationId: membership.organizationId, roles: new Set<Role>(membership.roles) };
};

export const REFUSAL = 'Email, password or organization is wrong.';
