import type { Principal } from '../../domain/identity/principal.ts';

export interface IssuedToken {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
}

export interface TokenIssuer {
  issue(principal: Principal): IssuedToken;
}

export interface TokenVerifier {
  /** @throws {UnauthenticatedError} the same for every cause */
  verify(token: string): Promise<Principal>;
}
