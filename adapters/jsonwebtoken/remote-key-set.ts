import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { algorithmOf, type TokenAlgorithm } from './token-algorithm.ts';

const TIMEOUT_MS = 3000;
/** At most one fetch in this time, so that tokens with invented key ids do not flood the key server. */
const COOL_DOWN_MS = 15_000;
/** Older keys are fetched again before use, so that a key which the issuer has revoked is refused. */
const REFRESH_AFTER_MS = 5 * 60_000;
/** During an outage of the key server, known keys are used for this long. */
const TRUSTED_FOR_MS = 24 * 3_600_000;

interface PublicKey {
  readonly id: string | undefined;
  readonly algorithm: TokenAlgorithm;
  readonly key: KeyObject;
}

/** Fetches a URL and returns the body, parsed as JSON. */
type FetchKeys = (url: string) => Promise<unknown>;

interface RemoteKeySetOptions {
  readonly url: string;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly fetchKeys?: FetchKeys;
}

/**
 * Caches the public keys that an external issuer publishes (RFC 7517). A key set is an answer whatever is in it: an issuer
 * that withdraws all its keys is no issuer that is away.
 */
export class RemoteKeySet {
  readonly #url: string;
  readonly #fetchKeys: FetchKeys;
  readonly #logger: Logger;
  readonly #now: () => number;
  #keys: readonly PublicKey[] = [];
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;
  /** Whether the last fetch failed. */
  #hasFailed = false;

  constructor({ url, logger, now = Date.now, fetchKeys = fetchJson }: RemoteKeySetOptions) {
    this.#url = url;
    this.#fetchKeys = fetchKeys;
    this.#logger = logger;
    this.#now = now;
  }

  /**
   * Returns the key; null when the issuer publishes no such key, or its keys are unknown because it cannot be reached.
   * Without a key id it returns a key only if the issuer has exactly one for the algorithm.
   */
  async find(algorithm: TokenAlgorithm, keyId: string | undefined): Promise<KeyObject | null> {
    const isKnown = this.#age < TRUSTED_FOR_MS && this.#choose(algorithm, keyId) !== null;
    const refreshed = isKnown && this.#age < REFRESH_AFTER_MS ? null : this.#refresh();
    // After a failed fetch a caller with a known key does not wait for the next one, which may time out too.
    if (!isKnown || !this.#hasFailed) await refreshed;
    return this.#age < TRUSTED_FOR_MS ? this.#choose(algorithm, keyId) : null;
  }

  get #age(): number {
    return this.#now() - this.#fetchedAt;
  }

  #choose(algorithm: TokenAlgorithm, keyId: string | undefined): KeyObject | null {
    const fitting = this.#keys.filter(
      (key) => key.algorithm === algorithm && (keyId === undefined || key.id === keyId),
    );
    return fitting.length === 1 ? (fitting[0]?.key ?? null) : null;
  }

  /** Concurrent callers share one fetch. Never rejects: known keys stay in use during an outage. */
  async #refresh(): Promise<void> {
    if (this.#fetching !== null) return this.#fetching;
    if (this.#now() - this.#triedAt < COOL_DOWN_MS) return;
    this.#triedAt = this.#now();
    this.#fetching = this.#fetch().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    try {
      const body = await this.#fetchKeys(this.#url);
      if (!isKeySet(body)) throw new Error('the key server did not answer with a key set');
      this.#keys = body.keys.flatMap(toPublicKey);
      this.#fetchedAt = this.#now();
      this.#hasFailed = false;
    } catch (error) {
      this.#hasFailed = true;
      this.#logger.write('token_keys.unreachable', { err: error });
    }
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isKeySet = (body: unknown): body is { readonly keys: readonly unknown[] } =>
  isObject(body) && Array.isArray(body['keys']);

/**
 * Empty for what is no usable key: one of another type or for another use, one that is too weak, and one that is
 * published with its private part. The others of the set stay good.
 */
const toPublicKey = (jwk: unknown): PublicKey[] => {
  if (!isObject(jwk) || 'd' in jwk || (jwk['use'] !== undefined && jwk['use'] !== 'sig')) return [];
  const { kid, alg } = jwk;
  if (kid !== undefined && typeof kid !== 'string') return [];
  const key = readKey(jwk);
  const algorithm = key === null ? null : algorithmOf(key);
  return key === null || algorithm === null || (alg !== undefined && alg !== algorithm)
    ? []
    : [{ id: kid, algorithm, key }];
};

const readKey = (jwk: JsonWebKey): KeyObject | null => {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return null;
  }
};

const fetchJson: FetchKeys = async (url) => {
  // The signal also limits the reading of the body. A redirect could lead to an unknown server.
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  if (!response.ok) throw new Error(`the key server answered ${response.status}`);
  return response.json();
};
