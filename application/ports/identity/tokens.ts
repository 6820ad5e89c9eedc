import type { Principal } from '../../../domain/identity/principal.ts';
import type { Role } from '../../../domain/identity/role.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
}

export interface TokenIssuer {
  /** @param sessionId the login that the token belongs to, and ends with; none for an operator's */
  issue(principal: Principal, sessionId?: string): IssuedToken;
}

/** What a token says that is rightly signed and in its time. */
export interface TokenClaims {
  readonly issuer: string;
  readonly subject: string;
  /**
   * Signed by an identity provider that knows who people are and not what they may do here: `subject` is its name for
   * them, and `roles` is empty.
   */
  readonly external: boolean;
  readonly organizationId: OrganizationId | null;
  readonly roles: ReadonlySet<Role>;
  readonly sessionId: string | null;
}

export interface TokenReader {
  /** @throws {UnauthenticatedError} the same for every cause */
  read(token: string): Promise<TokenClaims>;
}
