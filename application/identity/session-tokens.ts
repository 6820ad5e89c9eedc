import type { MetadataRepositories } from '../ports/databases/metadata-database.ts';
import type { RefreshTokens } from '../ports/identity/refresh-tokens.ts';
import type { TokenIssuer } from '../ports/identity/tokens.ts';
import type { Principal } from '../../domain/identity/principal.ts';

/** What a login brings. */
export interface SessionGrant {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
  readonly refreshExpiresInSeconds: number;
}

interface SessionTokensOptions {
  readonly accessTokens: TokenIssuer;
  readonly refreshTokens: RefreshTokens;
  /** A new UUID. */
  readonly newId: () => string;
  /** How long a login can be prolonged. */
  readonly lifetimeSeconds: number;
}

/** Gives out the two tokens of a session. All methods want a transaction's repositories. */
export class SessionTokens {
  readonly #options: SessionTokensOptions;

  constructor(options: SessionTokensOptions) {
    this.#options = options;
  }

  hashOf(refreshToken: string): Uint8Array {
    return this.#options.refreshTokens.hashOf(refreshToken);
  }

  /** @throws {UnauthenticatedError} when this service issues no tokens */
  async open({ sessions }: MetadataRepositories, principal: Principal): Promise<SessionGrant> {
    const { userId, organizationId } = principal;
    const sessionId = this.#options.newId();
    await sessions.open({ sessionId, userId, organizationId }, this.#options.lifetimeSeconds);
    return this.grant({ sessions }, sessionId, principal);
  }

  /** Two fresh tokens for a session that is open. */
  async grant(
    { sessions }: Pick<MetadataRepositories, 'sessions'>,
    sessionId: string,
    principal: Principal,
  ): Promise<SessionGrant> {
    const { accessTokens, refreshTokens, lifetimeSeconds } = this.#options;
    const { token: refreshToken, hash } = refreshTokens.create();
    await sessions.addToken(sessionId, hash);
    return {
      ...accessTokens.issue(principal, sessionId),
      refreshToken,
      refreshExpiresInSeconds: lifetimeSeconds,
    };
  }
}
