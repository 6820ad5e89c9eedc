import type { KeyObject } from 'node:crypto';

/** The algorithms that tokens may be signed with; which of them are in use depends on the keys configured. */
export const ALGORITHMS = ['HS256', 'RS256', 'ES256'] as const;
export type TokenAlgorithm = (typeof ALGORITHMS)[number];

/** The one algorithm of ours that a public key is for; null for any other kind of key. */
export const algorithmOf = (key: KeyObject): TokenAlgorithm | null => {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return isP256 ? 'ES256' : null;
};
