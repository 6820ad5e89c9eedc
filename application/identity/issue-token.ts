import { PasswordChangeRequiredError, UnauthenticatedError } from '../../domain/identity/errors.ts';
import { chooseMembership } from '../../domain/identity/account.ts';
import type { Principal } from '../../domain/identity/principal.ts';
import type { Role } from '../../domain/identity/role.ts';
import type { Membership, PasswordIdentity } from '../../domain/identity/user-repository.ts';
import type { Origin } from '../origin.ts';
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
 * Opens a session.
 *
 * @throws {UnauthenticatedError} the same, after the same work, for every cause
 * @throws {PasswordChangeRequiredError} when the password is right and has to be replaced
 * @throws {TooManyAttemptsError}
 */
export const issueToken =
  (ports: TokenPorts & Pick<Ports, 'metadata' | 'passwords' | 'loginAttempts' | 'newSessionId'>) =>
  async (credentials: Credentials, origin: Origin): Promise<SessionGrant> => {
    const { metadata, passwords, loginAttempts } = ports;
    const { email, password, newPassword } = credentials;
    await loginAttempts.begin(email, origin.address);
    const identity = await metadata.users.findPasswordIdentity(email);
    const matches = await passwords.verify(password, identity?.passwordHash ?? null);
    if (identity === null || !matches || !identity.active) throw new UnauthenticatedError(REFUSAL);
    const memberships = await metadata.users.listMemberships(identity.userId);
    const principal = principalFor(identity, credentials.organizationId, memberships);
    if (principal === null) throw new UnauthenticatedError(REFUSAL);
    await loginAttempts.succeed(email, origin.address);
    if (identity.mustChange && newPassword === null) throw new PasswordChangeRequiredError();

    const newHash = newPassword === null ? null : await passwords.hash(newPassword);
    return metadata.transaction(async (repositories) => {
      // A password that is replaced meanwhile ends its sessions: this login must not open one after that.
      const current = await repositories.users.lockPasswordHash(identity.userId);
      if (current !== identity.passwordHash) throw new UnauthenticatedError(REFUSAL);
      if (newHash !== null) {
        const author = { userId: identity.userId, ...origin };
        await replacePassword(repositories, author, identity.userId, { hash: newHash, mustChange: false });
      }
      return openSession(ports, repositories, principal);
    });
  };

const principalFor = (
  { userId, platformAdmin }: PasswordIdentity,
  organizationId: string | null,
  memberships: readonly Membership[],
): Principal | null => {
  if (platformAdmin && organizationId === null) {
    return { userId, organizationId: null, roles: new Set<Role>(['platform_admin']) };
  }
  const membership = chooseMembership(memberships, organizationId);
  if (membership === null) return null;
  return { userId, organizationId: membership.organizationId, roles: new Set<Role>(membership.roles) };
};

const REFUSAL = 'Email, password or organization is wrong.';
