import { createHash } from 'node:crypto';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { LoginAttempts } from '../../application/ports/identity/login-attempts.ts';
import { canonicalEmail } from '../../domain/identity/email.ts';
import { TooManyAttemptsError } from '../../domain/identity/errors.ts';

const WINDOW_SECONDS = 15 * 60;

export interface LoginAttemptLimits {
  /** Attempts within 15 minutes on one account, from all addresses together. */
  readonly perAccount: number;
  /** Attempts within 15 minutes from one address, on all accounts together. */
  readonly perAddress: number;
  /** The network of an address that one caller usually controls. All its addresses count as one. */
  readonly networkOf: (address: string) => string;
}

interface StoreQuery {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
  readonly readOnly: boolean;
}

/** The database with the table `login_attempts`. */
interface Store {
  query<Row>(query: StoreQuery): Promise<readonly Row[]>;
}

/** Counts attempts in a table that all processes share, because the limits apply to all of them together. */
export class SharedLoginAttempts implements LoginAttempts {
  readonly #store: Store;
  readonly #networkOf: LoginAttemptLimits['networkOf'];
  readonly #accounts: RateLimiterPostgres;
  readonly #addresses: RateLimiterPostgres;
  readonly #keys: RateLimiterPostgres;

  constructor(store: Store, { perAccount, perAddress, networkOf }: LoginAttemptLimits) {
    this.#networkOf = networkOf;
    this.#store = store;
    this.#accounts = limiter(store, 'account', perAccount);
    this.#addresses = limiter(store, 'address', perAddress);
    this.#keys = limiter(store, 'key', perAddress);
  }

  async begin(account: string, address: string): Promise<void> {
    await count(this.#addresses, this.#networkOf(address));
    await count(this.#accounts, accountKey(account));
  }

  async succeed(account: string, address: string): Promise<void> {
    await Promise.all([
      this.#accounts.delete(accountKey(account)),
      this.#addresses.reward(this.#networkOf(address)),
      this.#store.query(deleteExpired()),
    ]);
  }

  failKey(address: string): Promise<void> {
    return count(this.#keys, this.#networkOf(address));
  }
}

const deleteExpired = (): StoreQuery => ({
  name: 'login_attempts_forget',
  text: 'delete from login_attempts where expire < $1',
  values: [Date.now()],
  readOnly: false,
});

const limiter = (store: Store, keyPrefix: string, points: number): RateLimiterPostgres =>
  new RateLimiterPostgres({
    storeClient: {
      query: async ({ name, text, values }: StoreQuery) => {
        const rows = await store.query({ name: `${keyPrefix} ${name}`, text, values, readOnly: false });
        return { rows, rowCount: rows.length };
      },
    },
    storeType: 'client',
    tableName: 'login_attempts',
    tableCreated: true,
    // `succeed` deletes expired rows. The library would use a timer that cannot be stopped.
    clearExpiredByTimeout: false,
    keyPrefix,
    points,
    duration: WINDOW_SECONDS,
    // A key over its limit is refused from memory, without a query, until the window ends.
    inMemoryBlockOnConsumed: points + 1,
  });

const count = async (limiterOfKind: RateLimiterPostgres, key: string): Promise<void> => {
  try {
    await limiterOfKind.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    throw new TooManyAttemptsError(Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)));
  }
};

/** Every spelling that finds one user counts as one. Hashed: a user may type a password into the wrong field, and a key has 255 characters at most. */
const accountKey = (account: string): string =>
  createHash('sha256').update(canonicalEmail(account)).digest('base64url');
