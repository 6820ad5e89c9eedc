import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { RemoteKeySet } from './remote-key-set.ts';
import { algorithmOf, type TokenAlgorithm } from './token-algorithm.ts';

export interface ConfiguredKeys {
  /** HS256. */
  readonly secret: string | null;
  /** PEM. RSA: RS256; P-256: ES256. */
  readonly publicKey: string | null;
  /** RS256 and ES256. */
  readonly remoteKeys: RemoteKeySet | null;
}

/**
 * The keys that tokens are checked with, each bound to its one algorithm by the configuration. A token's header
 * chooses among these pairs and cannot make a new one: a public key is never taken for an HMAC secret.
 */
export class VerificationKeys {
  readonly #fixed: ReadonlyMap<string, KeyObject>;
  readonly #remote: RemoteKeySet | null;

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

  /** Null when no such key is configured. `keyId` matters for remote keys only. */
  async find(algorithm: TokenAlgorithm, keyId: string | undefined): Promise<KeyObject | null> {
    const fixed = this.#fixed.get(algorithm);
    if (fixed !== undefined) return fixed;
    if (this.#remote === null || algorithm === 'HS256') return null;
    return this.#remote.find(algorithm, keyId);
  }
}
