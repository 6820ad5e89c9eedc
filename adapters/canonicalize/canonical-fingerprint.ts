import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { CanonicalJson, Fingerprint } from '../../application/ports/runtime/fingerprint.ts';

export const canonicalJson: CanonicalJson = {
  /** @throws {TypeError} for a value that JSON cannot represent */
  textOf: (value) => {
    const text = canonicalize(value);
    if (text === undefined) throw new TypeError('only JSON values have a fingerprint');
    return text;
  },
  hashOf: (text) => hash('sha256', text),
};

/** @throws {TypeError} for a value that JSON cannot represent */
export const canonicalFingerprint: Fingerprint = (value) => canonicalJson.hashOf(canonicalJson.textOf(value));
