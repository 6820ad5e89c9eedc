import { UnauthenticatedError } from '../../domain/identity/errors.ts';
import { chooseMembership, type Account, type AccountRepository } from '../../domain/identity/account.ts';
import type { Principal } from '../../domain/identity/principal.ts';
import type { Role } from '../../domain/identity/role.ts';
import type { TokenClaims } from '../ports/identity/tokens.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Who the bearer of a token is and may do now, which can be less than when the token was made. Decision 0016.
 *
 * The token is held against the bearer's account. The signature alone speaks for a subject without an account, as
 * workers and operators have none: the holder of the signing key named them. That is not so for a token of a login
 * here, or of an identity provider.
 *
 * @throws {UnauthenticatedError} the same for every cause
 */
export const verifyToken =
  ({ tokenReader, accounts }: Pick<Ports, 'tokenReader' | 'accounts'>) =>
  async (token: string): Promise<Principal> => {
    const claims = await tokenReader.read(token);
    const account = await accountOf(accounts, claims);
    if (account !== null) return withAuthTime(claims, principalOf(claims, account));
    if (claims.external || claims.sessionId !== null) throw new UnauthenticatedError();
    return { userId: claims.subject, organizationId: claims.organizationId, roles: claims.roles };
  };

const withAuthTime = ({ authTime }: TokenClaims, principal: Principal): Principal =>
  authTime === undefined ? principal : { ...principal, authTime };

const accountOf = async (
  accounts: AccountRepository,
  { external, issuer, subject }: TokenClaims,
): Promise<Account | null> => {
  const userId = external ? await accounts.findUserId(issuer, subject) : subject;
  return userId === null ? null : accounts.find(userId);
};

/** @throws {UnauthenticatedError} when nothing is left of what the token was made for */
const principalOf = (claims: TokenClaims, account: Account): Principal => {
  const ended = claims.sessionId !== null && account.revokedSessions.has(claims.sessionId);
  if (!account.active || ended) throw new UnauthenticatedError();
  const { userId } = account;
  if (claims.organizationId === null && account.isFleet) return fleetOf(userId, claims.sessionId);
  if (claims.organizationId === null) {
    const asAdministrator = claims.external ? account.platformAdmin : claims.roles.has('platform_admin');
    if (asAdministrator && !account.platformAdmin) throw new UnauthenticatedError();
    const asGuest = !claims.external || (account.memberships.length === 0 && account.invited);
    if (asAdministrator || asGuest) {
      return { userId, organizationId: null, roles: new Set([asAdministrator ? 'platform_admin' : 'guest']) };
    }
  }
  const membership = chooseMembership(account.memberships, claims.organizationId);
  if (membership === null) throw new UnauthenticatedError();
  const { organizationId, roles } = membership;
  const counts = (role: Role): boolean => claims.external || claims.roles.has(role);
  return { userId, organizationId, roles: new Set<Role>(roles.filter(counts)) };
};

const fleetOf = (userId: string, keyId: string | null): Principal => ({
  userId,
  organizationId: null,
  roles: new Set(['fleet']),
  ...(keyId !== null && { keyId }),
});
