import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Fingerprint } from '../../application/ports/runtime/fingerprint.ts';

/** @throws {TypeError} for a value that JSON cannot represent */
export const canonicalFingerprint: Fingerprint = (value) => {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('only JSON values have a fingerprint');
  return hash('sha256', text);
};
