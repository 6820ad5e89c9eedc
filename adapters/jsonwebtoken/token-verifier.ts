import { hash } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import type { TokenClaims, TokenReader } from '../../application/ports/identity/tokens.ts';
import { UnauthenticatedError } from '../../domain/identity/errors.ts';
import { ClaimError, toClaims } from './token-claims.ts';
import { ALGORITHMS, type TokenAlgorithm } from './token-algorithm.ts';
import type { VerificationKeys } from './verification-keys.ts';

export interface TokenVerifierSettings {
  readonly keys: VerificationKeys;
  /** Whose word on roles counts. */
  readonly issuer: string;
  /** The identity provider that signs RS256 and ES256. Null: those are `issuer`'s as well. */
  readonly externalIssuer: string | null;
  readonly audience: string;
  readonly maxOrganizationIdLength: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const MAX_TOKEN_LENGTH = 8192;
const MAX_KEY_ID_LENGTH = 255;
/** Access tokens, by RFC 7519 and RFC 9068. Other kinds that an issuer signs with the same key (logout, DPoP, …) are none. */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']);
const MAX_CACHED = 10_000;
/** A verified token is checked again after this, so that a key withdrawn by its issuer does not serve until `exp`. */
const MAX_CACHED_MS = 5 * 60_000;
/** How far an issuer's clock may be ahead. There is no such grace at the end of a token. */
const NOT_BEFORE_TOLERANCE_SECONDS = 5;

interface Verified {
  readonly claims: TokenClaims;
  /** Milliseconds since 1970, as all times here. */
  readonly expiresAt: number;
  readonly checkAgainAt: number;
}

/** Checks bearer tokens. Verified ones are remembered by their hash. Safe to call concurrently. */
export class JsonwebtokenVerifier implements TokenReader {
  readonly #settings: TokenVerifierSettings;
  readonly #now: () => number;
  readonly #verified = new LRUCache<string, Verified>({ max: MAX_CACHED });

  constructor(settings: TokenVerifierSettings) {
    this.#settings = settings;
    this.#now = settings.now ?? Date.now;
  }

  async read(token: string): Promise<TokenClaims> {
    if (token.length > MAX_TOKEN_LENGTH) throw new UnauthenticatedError();
    const digest = hash('sha256', token, 'base64');
    const cached = this.#verified.get(digest);
    if (cached !== undefined && this.#now() < Math.min(cached.expiresAt, cached.checkAgainAt)) {
      return cached.claims;
    }
    this.#verified.delete(digest);
    try {
      const verified = await this.#check(token);
      this.#verified.set(digest, verified);
      return verified.claims;
    } catch (error) {
      // The cause is for debugging: every bearer is told the same.
      throw new UnauthenticatedError(undefined, error);
    }
  }

  async #check(token: string): Promise<Verified> {
    const { algorithm, keyId } = readHeader(token);
    const key = await this.#settings.keys.find(algorithm, keyId);
    if (key === null) throw new ClaimError('there is no such key');
    const { audience, maxOrganizationIdLength } = this.#settings;
    const source = this.#sourceOf(algorithm);
    const now = this.#now();
    const payload = jwt.verify(token, key, {
      algorithms: [algorithm],
      issuer: source.issuer,
      audience,
      clockTimestamp: Math.floor(now / 1000),
      ignoreNotBefore: true,
    });
    if (typeof payload === 'string') throw new ClaimError('the payload is no object');
    const { exp, nbf } = payload;
    // `jsonwebtoken` takes a token without `exp` for one that never expires.
    if (typeof exp !== 'number' || !Number.isFinite(exp)) throw new ClaimError('exp is missing');
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now / 1000 + NOT_BEFORE_TOLERANCE_SECONDS)) {
      throw new ClaimError('the token is not valid yet');
    }
    const claims = toClaims(payload, source, maxOrganizationIdLength);
    return { claims, expiresAt: exp * 1000, checkAgainAt: now + MAX_CACHED_MS };
  }

  /** A key's own algorithm says who holds it; the issuer that a token names has to be that one. */
  #sourceOf(algorithm: TokenAlgorithm): { issuer: string; external: boolean } {
    const { issuer, externalIssuer } = this.#settings;
    return externalIssuer === null || algorithm === 'HS256'
      ? { issuer, external: false }
      : { issuer: externalIssuer, external: true };
  }
}

/** Decoders skip what is no base64url and bits that count for nothing: one signature would have many spellings. */
const isCanonical = (segment: string): boolean =>
  Buffer.from(segment, 'base64url').toString('base64url') === segment;

/** Of a token's header these two count; keys and addresses of keys in it (`jwk`, `jku`, `x5u`, …) are ignored. */
const readHeader = (token: string): { algorithm: TokenAlgorithm; keyId: string | undefined } => {
  const segments = token.split('.');
  if (segments.length !== 3 || !segments.every(isCanonical)) throw new ClaimError('the token is no JWS');
  const header = jwt.decode(token, { complete: true })?.header;
  const algorithm = ALGORITHMS.find((known) => known === header?.alg);
  if (header === undefined || algorithm === undefined) throw new ClaimError('the algorithm is unknown');
  const type: unknown = header.typ;
  if (type !== undefined && !(typeof type === 'string' && TYPES.has(type.toLowerCase()))) {
    throw new ClaimError('the token is of another type');
  }
  // RFC 7515, 4.1.11: whoever does not understand an extension marked critical must refuse the token.
  if ('crit' in header) throw new ClaimError('the token has critical extensions');
  // Whatever the type of `kid` promises, the sender wrote it.
  const keyId: unknown = header.kid;
  if (keyId === undefined) return { algorithm, keyId };
  if (typeof keyId !== 'string' || keyId.length > MAX_KEY_ID_LENGTH) throw new ClaimError('kid is no key id');
  return { algorithm, keyId };
};
