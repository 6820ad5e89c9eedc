import { createPublicKey, type KeyObject } from 'node:crypto';
import { JwksClient, type SigningKey } from 'jwks-rsa';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { algorithmOf, type TokenAlgorithm } from './token-algorithm.ts';

const TIMEOUT_MS = 3000;
/** At most one fetch in this time, whatever key ids are asked for: made-up ids cannot flood the key server. */
const COOL_DOWN_MS = 15_000;
/** Keys this old are fetched anew before they vouch for anything: one that was withdrawn meanwhile is to be refused. */
const REFRESH_AFTER_MS = 5 * 60_000;
/** How long known keys outlive an outage of the key server. */
const TRUSTED_FOR_MS = 24 * 3_600_000;

interface PublicKey {
  readonly id: string | undefined;
  readonly algorithm: TokenAlgorithm;
  readonly key: KeyObject;
}

/** Gets a key set as JSON. */
type FetchKeys = (url: string) => Promise<unknown>;

interface RemoteKeySetOptions {
  readonly url: string;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly fetchKeys?: FetchKeys;
}

/**
 * The public keys that another issuer publishes. `jwks-rsa` reads them; its own cache is not used, because there an
 * unknown key id costs a request, and a flood of them the renewal of the known ones.
 */
export class RemoteKeySet {
  readonly #client: JwksClient;
  readonly #logger: Logger;
  readonly #now: () => number;
  #keys: readonly PublicKey[] = [];
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;
  /** Whether it did not answer when it was last asked. */
  #isAway = false;

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

  /** Null when the issuer publishes no such key, or cannot be asked. A token without a key id needs a lone key. */
  async find(algorithm: TokenAlgorithm, keyId: string | undefined): Promise<KeyObject | null> {
    const isKnown = this.#age < TRUSTED_FOR_MS && this.#choose(algorithm, keyId) !== null;
    const refreshed = isKnown && this.#age < REFRESH_AFTER_MS ? null : this.#refresh();
    // A key server that is away is waited for once; until it is back, what is known serves meanwhile.
    if (!isKnown || !this.#isAway) await refreshed;
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

  /** All callers share one fetch. Never rejects: what is known goes on serving through an outage. */
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
      this.#isAway = false;
    } catch (error) {
      this.#isAway = true;
      this.#logger.warn({ err: error }, 'the keys of the token issuer could not be fetched');
    }
  }
}

/** Empty for a key of another kind, or one that its issuer keeps for another algorithm. */
const toPublicKey = (signingKey: SigningKey): PublicKey[] => {
  const key = createPublicKey(signingKey.getPublicKey());
  const algorithm = algorithmOf(key);
  // The types promise `alg` and `kid`; a key set may leave both out.
  const declared: string | undefined = signingKey.alg;
  const id: string | undefined = signingKey.kid;
  return algorithm === null || (declared !== undefined && declared !== algorithm)
    ? []
    : [{ id, algorithm, key }];
};

const hasKeys = (body: unknown): body is { keys: unknown } =>
  typeof body === 'object' && body !== null && 'keys' in body;

const fetchJson: FetchKeys = async (url) => {
  // The deadline covers the body too; a redirect could lead to a server that nobody configured.
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  if (!response.ok) throw new Error(`the key server answered ${response.status}`);
  return response.json();
};
