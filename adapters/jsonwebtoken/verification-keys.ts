import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { RemoteKeySet } from './remote-key-set.ts';
import { algorithmOf, type TokenAlgorithm } from './token-algorithm.ts';

export interface ConfiguredKeys {
  /** The HS256 key. */
  readonly secret: string | null;
  /** A key in PEM. An RSA key verifies RS256, a P-256 key ES256. */
  readonly publicKey: string | null;
  /** Keys for RS256 and ES256. */
  readonly remoteKeys: RemoteKeySet | null;
}

/**
 * The keys for verifying tokens. The configuration binds each key to one algorithm, so a token's header cannot make the
 * verifier use a public key as an HMAC secret.
 */
export class VerificationKeys {
  readonly #fixed: ReadonlyMap<string, KeyObject>;
  readonly #remote: RemoteKeySet | null;

  /** @throws {TypeError} when the public key is neither RSA nor EC P-256 */
  constructor({ secret, publicKey, remoteKeys }: ConfiguredKeys) {
    const fixed = new Map<string, KeyObject>();
    if (secret !== null) fixed.set('HS256', createSecretKey(secret, 'utf8'));
    if (publicKey !== null) {
      const key = createPublicKey(publicKey);
      const algorithm = algorithmOf(key);
      if (algorithm === null) throw new TypeError('the public key must be RSA or EC P-256');
      fixed.set(algorithm, key);
    }
    this.#fixed = fixed;
    this.#remote = remoteKeys;
  }

  /** Null when there is no key for the algorithm. Only remote keys are looked up by `keyId`. */
  async find(algorithm: TokenAlgorithm, keyId: string | undefined): Promise<KeyObject | null> {
    const fixed = this.#fixed.get(algorithm);
    if (fixed !== undefined) return fixed;
    if (this.#remote === null || algorithm === 'HS256') return null;
    return this.#remote.find(algorithm, keyId);
  }
}
