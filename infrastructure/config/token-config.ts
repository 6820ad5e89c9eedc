import { createPublicKey, type KeyObject } from 'node:crypto';
import { isLoopback } from '../http-server/listening-address.ts';
import { MIN_RSA_BITS } from '../../domain/identity/key-strength.ts';
import { PRINTABLE } from '../../domain/printable.ts';
import type { EnvironmentReader } from './environment-reader.ts';
import { takenBy } from './variable.ts';
import { VARIABLES, type NameOf } from './variables.ts';

/** Settings for verifying tokens and for signing the service's own. */
export interface TokenConfig {
  /** The HS256 key for verifying and signing. Null: HS256 is not accepted, and this service issues no tokens. */
  readonly secret: string | null;
  /** A key in PEM. An RSA key verifies RS256, a P-256 key ES256. */
  readonly publicKey: string | null;
  /** The URL of a key set for RS256 and ES256. */
  readonly jwksUrl: string | null;
  readonly issuer: string;
  /**
   * The identity provider that owns the keys of `publicKey` and `jwksUrl`. Its tokens identify a person; the linked
   * user's memberships decide the roles. Null: these keys are `issuer`'s, and the roles in its tokens count.
   */
  readonly externalIssuer: string | null;
  readonly audience: string;
  readonly accessTtlSeconds: number;
  /** A login can be extended with refresh tokens for this long. */
  readonly sessionTtlSeconds: number;
}

const MIN_SECRET_LENGTH = 32;

/** Reads a secret of at least 32 characters; null when the variable is not set. */
export const readSecret = (reader: EnvironmentReader, name: NameOf<'secret'>): string | null =>
  reader.secret(name, (text) => (text.length >= MIN_SECRET_LENGTH ? text : undefined));

/**
 * Reads the token settings. `JWT_SECRET` is required unless `JWT_PUBLIC_KEY` or `JWT_JWKS_URL` is set. With one of
 * these and no secret, only tokens with those keys are accepted. With both, each key verifies only its own kind of
 * token.
 */
export const readTokenConfig = (reader: EnvironmentReader, production: boolean): TokenConfig => {
  const secret = readSecret(reader, 'JWT_SECRET');
  const publicKey = reader.secret('JWT_PUBLIC_KEY', parsePublicKey);
  const jwksUrl = readJwksUrl(reader, production);
  if (!['JWT_SECRET', 'JWT_PUBLIC_KEY', 'JWT_JWKS_URL'].some((name) => reader.has(name))) {
    reader.missing('JWT_SECRET', `${takenBy(VARIABLES.JWT_SECRET)} (or set JWT_PUBLIC_KEY or JWT_JWKS_URL)`);
  }
  if (publicKey !== null && jwksUrl !== null) {
    // With two sources of public keys it would be unclear which one a token must match.
    reader.refuse('JWT_PUBLIC_KEY', 'a key', 'no value where JWT_JWKS_URL is set');
  }
  const issuer = reader.text('JWT_ISSUER', isClaim);
  return {
    secret,
    publicKey,
    jwksUrl,
    issuer,
    externalIssuer: readExternalIssuer(reader, issuer, publicKey ?? jwksUrl),
    audience: reader.text('JWT_AUDIENCE', isClaim),
    accessTtlSeconds: reader.integer('JWT_ACCESS_TTL_SECONDS'),
    sessionTtlSeconds: reader.integer('JWT_REFRESH_TTL_SECONDS'),
  };
};

const readExternalIssuer = (
  reader: EnvironmentReader,
  issuer: string,
  keys: string | null,
): string | null => {
  const name = 'JWT_EXTERNAL_ISSUER';
  const external = reader.text(name, isClaim);
  if (external !== null && keys === null) {
    reader.refuse(name, 'an issuer', 'no value where neither JWT_PUBLIC_KEY nor JWT_JWKS_URL is set');
  }
  // The issuer's name decides whether the roles in a token count, so the two must differ.
  if (external === issuer) reader.refuse(name, 'the value of JWT_ISSUER', 'another issuer');
  return external;
};

const isClaim = (text: string): boolean => text !== '' && text.length <= 255 && PRINTABLE.test(text);

const parsePublicKey = (text: string): string | undefined => {
  const pem = text.replaceAll(String.raw`\n`, '\n').trim();
  // `createPublicKey` also accepts a private key. An operator who pastes one here has made a mistake.
  if (!/^-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(pem)) return undefined;
  try {
    return isUsable(createPublicKey(pem)) ? pem : undefined;
  } catch {
    return undefined;
  }
};

const isUsable = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean =>
  asymmetricKeyType === 'rsa'
    ? (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS
    : asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1';

const readJwksUrl = (reader: EnvironmentReader, production: boolean): string | null => {
  // Read as a secret: a message must not show a URL that is refused for its credentials.
  const parse = (text: string): string | undefined => {
    if (/\s/.test(text) || !URL.canParse(text)) return undefined;
    const { protocol, hostname, username, password } = new URL(text);
    const secure =
      protocol === 'https:' ||
      (protocol === 'http:' && (!production || isLoopback(hostname.replace(/^\[|\]$/g, ''))));
    return secure && hostname !== '' && username === '' && password === '' ? text : undefined;
  };
  return production
    ? reader.secret('JWT_JWKS_URL', parse, 'an https:// URL without credentials')
    : reader.secret('JWT_JWKS_URL', parse);
};
