import { createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { IssuedToken, TokenIssuer, TokenSession } from '../../application/ports/identity/tokens.ts';
import { UnauthenticatedError } from '../../domain/identity/errors.ts';
import type { Principal } from '../../domain/identity/principal.ts';

export interface TokenIssuerSettings {
  /** The HS256 key. Null: an external issuer makes all tokens, and this service refuses logins. */
  readonly secret: string | null;
  readonly issuer: string;
  readonly audience: string;
  readonly accessTtlSeconds: number;
}

/** Signs this service's tokens with HS256. */
export class JsonwebtokenIssuer implements TokenIssuer {
  readonly #settings: TokenIssuerSettings;
  /** A key object, because `jsonwebtoken` would parse a string again for each token. */
  readonly #key: KeyObject | null;

  constructor(settings: TokenIssuerSettings) {
    this.#settings = settings;
    this.#key = settings.secret === null ? null : createSecretKey(settings.secret, 'utf8');
  }

  /** @throws {UnauthenticatedError} when this service has no key to sign with */
  issue({ userId, organizationId, roles }: Principal, session?: TokenSession): IssuedToken {
    if (this.#key === null) throw new UnauthenticatedError();
    const { issuer, audience, accessTtlSeconds } = this.#settings;
    const organization = organizationId === null ? {} : { org_id: organizationId };
    const login = session === undefined ? {} : { sid: session.sessionId };
    const proof = session?.authTime === undefined ? {} : { auth_time: session.authTime };
    const iat = Math.floor(Date.now() / 1000);
    const expiresInSeconds = Math.min(
      accessTtlSeconds,
      session?.atMostSeconds ?? accessTtlSeconds,
      session?.endsAt === undefined ? accessTtlSeconds : secondsUntil(session.endsAt, iat),
    );
    const claims = { ...organization, ...login, ...proof, roles: [...roles], iat };
    const accessToken = jwt.sign(claims, this.#key, {
      algorithm: 'HS256',
      subject: userId,
      issuer,
      audience,
      expiresIn: expiresInSeconds,
    });
    return { accessToken, expiresInSeconds };
  }
}

/** Whole seconds. Zero in the last second of a session: its token is over when it is made. */
const secondsUntil = (end: Date, iat: number): number => Math.max(0, Math.floor(end.getTime() / 1000) - iat);
