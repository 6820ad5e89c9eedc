import type { Principal } from '../../../domain/identity/principal.ts';
import type { Role } from '../../../domain/identity/role.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
}

/** What a token belongs to and ends with: a login, or a key of a service account. */
export interface TokenSession {
  readonly sessionId: string;
  /** Shortens the token's life; left out: as long as the service is configured. */
  readonly atMostSeconds?: number;
  /** When the session is over by its age: the token ends by then. Keys have no such time. */
  readonly endsAt?: Date;
  /** When the bearer gave the password last, in seconds since 1970; of browsers' sessions alone. */
  readonly authTime?: number;
}

export interface TokenIssuer {
  /**
   * @param session absent for an operator's token
   * @throws {UnauthenticatedError} when this service has no key to sign with
   */
  issue(principal: Principal, session?: TokenSession): IssuedToken;
}

/** The claims of a token with a valid signature that has not expired. */
export interface TokenClaims {
  readonly issuer: string;
  readonly subject: string;
  /** Whether an external identity provider signed it. Then `subject` is its id of the user, and `roles` is empty. */
  readonly external: boolean;
  readonly organizationId: OrganizationId | null;
  readonly roles: ReadonlySet<Role>;
  readonly sessionId: string | null;
  /** Of a token of a browser's session: when its password was given last, in seconds since 1970. */
  readonly authTime?: number;
}

/** Checks signature, time and claims of a token. Does not look at accounts. */
export interface TokenReader {
  /** @throws {UnauthenticatedError} the same for every cause */
  read(token: string): Promise<TokenClaims>;
}
