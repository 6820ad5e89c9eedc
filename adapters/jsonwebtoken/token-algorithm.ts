import type { KeyObject } from 'node:crypto';
import { MIN_RSA_BITS } from '../../domain/identity/key-strength.ts';

/** The supported signature algorithms. The configured keys decide which of them are accepted. */
export const ALGORITHMS = ['HS256', 'RS256', 'ES256'] as const;
export type TokenAlgorithm = (typeof ALGORITHMS)[number];

/** The supported algorithm of a public key; null for other types of keys, and for one that is too weak. */
export const algorithmOf = (key: KeyObject): TokenAlgorithm | null => {
  if (key.asymmetricKeyType === 'rsa') {
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS ? 'RS256' : null;
  }
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return isP256 ? 'ES256' : null;
};
