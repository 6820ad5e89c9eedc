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
  /** The issuer whose roles count. */
  readonly issuer: string;
  /** The identity provider that signs with RS256 and ES256. Null: `issuer` signs those tokens too. */
  readonly externalIssuer: string | null;
  readonly audience: string;
  readonly maxOrganizationIdLength: number;
  /** How long this service's own token of a session is good, whatever it says: an ended session is remembered for as long. */
  readonly accessTtlSeconds: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const MAX_TOKEN_LENGTH = 8192;
const MAX_KEY_ID_LENGTH = 255;
/**
 * The `typ` values of access tokens (RFC 7519, RFC 9068). Tokens of other types (logout, DPoP, …) may be signed with
 * the same key and must be refused.
 */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']);
const MAX_CACHED = 10_000;
/**
 * A cached token is verified again after this time, so that a token of a revoked key does not stay valid until `exp`.
 */
const MAX_CACHED_MS = 5 * 60_000;
/** Allows an issuer's clock to be ahead. `exp` has no tolerance. */
const NOT_BEFORE_TOLERANCE_SECONDS = 5;

interface Verified {
  readonly claims: TokenClaims;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Milliseconds since 1970. */
  readonly checkAgainAt: number;
}

/**
 * Verifies bearer tokens, and caches the claims of verified ones by the token's hash. Safe to call concurrently.
 * Decision 0016.
 */
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
      // The client gets the same error for every cause. Debug logs show the cause.
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
    // To `jsonwebtoken` a token without `exp` never expires.
    if (typeof exp !== 'number' || !Number.isFinite(exp)) throw new ClaimError('exp is missing');
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now / 1000 + NOT_BEFORE_TOLERANCE_SECONDS)) {
      throw new ClaimError('the token is not valid yet');
    }
    const claims = toClaims(payload, source, maxOrganizationIdLength);
    // This service signs with HS256 alone.
    const isOfSession = algorithm === 'HS256' && claims.sessionId !== null;
    const expiresAt = 1000 * (isOfSession ? Math.min(exp, this.#sessionEndOf(payload)) : exp);
    if (now >= expiresAt) throw new ClaimError('the token of a session is too old');
    return { claims, expiresAt, checkAgainAt: now + MAX_CACHED_MS };
  }

  /** In seconds since 1970. */
  #sessionEndOf({ iat }: jwt.JwtPayload): number {
    // The declared type does not protect: the claim can be any JSON value.
    if (typeof iat !== 'number') throw new ClaimError('iat is missing');
    return iat + this.#settings.accessTtlSeconds;
  }

  /** Returns the issuer that a token with this algorithm must name. Each issuer has keys for other algorithms. */
  #sourceOf(algorithm: TokenAlgorithm): { issuer: string; external: boolean } {
    const { issuer, externalIssuer } = this.#settings;
    return externalIssuer === null || algorithm === 'HS256'
      ? { issuer, external: false }
      : { issuer: externalIssuer, external: true };
  }
}

/** Decoders ignore invalid characters and unused bits, so one token would have many spellings. Only one is accepted. */
const isCanonical = (segment: string): boolean =>
  Buffer.from(segment, 'base64url').toString('base64url') === segment;

/** Reads `alg` and `kid`. Ignores keys and URLs of keys (`jwk`, `jku`, `x5u`, …), which the sender has chosen. */
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
  // RFC 7515, 4.1.11: a verifier must refuse extensions that it does not know. This one knows none.
  if ('crit' in header) throw new ClaimError('the token has critical extensions');
  // The declared type does not protect: the sender can put any JSON value into `kid`.
  const keyId: unknown = header.kid;
  if (keyId === undefined) return { algorithm, keyId };
  if (typeof keyId !== 'string' || keyId.length > MAX_KEY_ID_LENGTH) throw new ClaimError('kid is no key id');
  return { algorithm, keyId };
};
