import type { Account, AccountRepository } from '../../domain/identity/account.ts';
import type { Change, ChangeFeed, ChangeSubscriber } from '../ports/runtime/change-feed.ts';
import { StaleWhileRevalidate, type RevalidateOptions } from '../stale-while-revalidate.ts';

/** While the feed of changes is up to date an account is looked up again only to be on the safe side. */
const FRESH_WITH_FEED_MS = 60_000;
const FRESH_WITHOUT_FEED_MS = 2000;

/**
 * Accounts as they are now, give or take two seconds, without a query for each request. While the metadata database
 * cannot be reached they stay as they were, for some minutes. Decision 0016.
 */
export class CurrentAccounts implements AccountRepository, ChangeSubscriber {
  readonly #accounts: StaleWhileRevalidate<Account | null>;
  readonly #userIds: StaleWhileRevalidate<string | null>;

  /**
   * Subscribes to the feed.
   *
   * @param times `now`: monotonic, in milliseconds; `patienceMs` of `StaleWhileRevalidate`
   */
  constructor(
    repository: AccountRepository,
    feed: ChangeFeed,
    times: Partial<Pick<RevalidateOptions<unknown>, 'now' | 'patienceMs'>> = {},
  ) {
    const common = {
      freshForMs: () => (feed.isCurrent ? FRESH_WITH_FEED_MS : FRESH_WITHOUT_FEED_MS),
      now: () => performance.now(),
      ...times,
    };
    this.#accounts = new StaleWhileRevalidate({ ...common, look: (userId) => repository.find(userId) });
    this.#userIds = new StaleWhileRevalidate({
      ...common,
      look: (key) => repository.findUserId(...identityOf(key)),
    });
    feed.subscribe(this);
  }

  find(userId: string): Promise<Account | null> {
    return this.#accounts.get(userId);
  }

  findUserId(issuer: string, subject: string): Promise<string | null> {
    return this.#userIds.get(keyOf(issuer, subject));
  }

  reset(): void {
    this.#accounts.forgetAll();
    this.#userIds.forgetAll();
  }

  changed(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'member' || change.kind === 'user') this.#accounts.forget(change.userId);
    }
    const users = new Set(changes.flatMap((change) => (change.kind === 'user' ? [change.userId] : [])));
    if (users.size > 0) this.#userIds.forgetWhere((userId) => userId === null || users.has(userId));
  }
}

// No control character stands in either of them.
const keyOf = (issuer: string, subject: string): string => `${issuer}\n${subject}`;
const identityOf = (key: string): [string, string] => {
  const [issuer = '', subject = ''] = key.split('\n');
  return [issuer, subject];
};
