import { createPublicKey, type KeyObject } from 'node:crypto';
import { JwksClient, type SigningKey } from 'jwks-rsa';
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
 * Caches the public keys that an external issuer publishes. `jwks-rsa` only parses them. Its own cache would send a
 * request for each unknown key id, and its rate limit would then block the refresh of known keys.
 */
export class RemoteKeySet {
  readonly #client: JwksClient;
  readonly #logger: Logger;
  readonly #now: () => number;
  #keys: readonly PublicKey[] = [];
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;
  /** Whether the last fetch failed. */
  #hasFailed = false;

  constructor({ url, logger, now = Date.now, fetchKeys = fetchJson }: RemoteKeySetOptions) {
    this.#client = new JwksClient({
      jwksUri: url,
      cache: false,
      fetcher: async (uri) => {
        const body = await fetchKeys(uri);
        return { keys: hasKeys(body) ? body.keys : [] };
      },
    });
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
      const keys = await this.#client.getSigningKeys();
      this.#keys = keys.flatMap(toPublicKey);
      this.#fetchedAt = this.#now();
      this.#hasFailed = false;
    } catch (error) {
      this.#hasFailed = true;
      this.#logger.warn({ err: error }, 'the keys of the token issuer could not be fetched');
    }
  }
}

/** Empty for a key of another type, or one that the issuer declares for another algorithm. */
const toPublicKey = (signingKey: SigningKey): PublicKey[] => {
  const key = createPublicKey(signingKey.getPublicKey());
  const algorithm = algorithmOf(key);
  // The types declare `alg` and `kid` as present, but a key set may omit both.
  const declared: string | undefined = signingKey.alg;
  const id: string | undefined = signingKey.kid;
  return algorithm === null || (declared !== undefined && declared !== algorithm)
    ? []
    : [{ id, algorithm, key }];
};

const hasKeys = (body: unknown): body is { keys: unknown } =>
  typeof body === 'object' && body !== null && 'keys' in body;

const fetchJson: FetchKeys = async (url) => {
  // The signal also limits the reading of the body. A redirect could lead to an unknown server.
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  if (!response.ok) throw new Error(`the key server answered ${response.status}`);
  return response.json();
};
