import { UnauthenticatedError } from '../../domain/identity/errors.ts';
import { chooseMembership, type Account, type AccountRepository } from '../../domain/identity/account.ts';
import type { Principal } from '../../domain/identity/principal.ts';
import type { Role } from '../../domain/identity/role.ts';
import type { TokenClaims, TokenReader, TokenVerifier } from '../ports/identity/tokens.ts';

/**
 * Holds what a token says against what its bearer's account says now. A subject without an account is taken at the
 * token's word, which whoever holds the signing key gave: workers and operators need no account. Not so a token of a
 * login here, or of an identity provider.
 */
export class VerifyToken implements TokenVerifier {
  readonly #tokens: TokenReader;
  readonly #accounts: AccountRepository;

  constructor(tokens: TokenReader, accounts: AccountRepository) {
    this.#tokens = tokens;
    this.#accounts = accounts;
  }

  async verify(token: string): Promise<Principal> {
    const claims = await this.#tokens.read(token);
    const account = await this.#find(claims);
    if (account !== null) return principalOf(claims, account);
    if (claims.external || claims.sessionId !== null) throw new UnauthenticatedError();
    return { userId: claims.subject, organizationId: claims.organizationId, roles: claims.roles };
  }

  async #find({ external, issuer, subject }: TokenClaims): Promise<Account | null> {
    const userId = external ? await this.#accounts.findUserId(issuer, subject) : subject;
    return userId === null ? null : this.#accounts.find(userId);
  }
}

/** @throws {UnauthenticatedError} when nothing is left of what the token was made for */
const principalOf = (claims: TokenClaims, account: Account): Principal => {
  const ended = claims.sessionId !== null && account.revokedSessions.has(claims.sessionId);
  if (!account.active || ended) throw new UnauthenticatedError();
  const { userId } = account;
  const asAdministrator = claims.organizationId === null && (account.platformAdmin || !claims.external);
  if (asAdministrator) {
    const claimed = claims.external || claims.roles.has('platform_admin');
    if (claimed && !account.platformAdmin) throw new UnauthenticatedError();
    return { userId, organizationId: null, roles: new Set<Role>(claimed ? ['platform_admin'] : []) };
  }
  const membership = chooseMembership(account.memberships, claims.organizationId);
  if (membership === null) throw new UnauthenticatedError();
  const { organizationId, roles } = membership;
  const counts = (role: Role): boolean => claims.external || claims.roles.has(role);
  return { userId, organizationId, roles: new Set<Role>(roles.filter(counts)) };
};
