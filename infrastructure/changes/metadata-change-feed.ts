import type { Change, ChangeFeed, ChangeSubscriber } from '../../application/ports/runtime/change-feed.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { withDeadline } from '../timing/with-deadline.ts';
import { changesFrom, type ChangeRow } from './change-row.ts';

export interface ChangeFeedOptions {
  /** Opens the one connection that the feed listens on. */
  readonly connect: () => Promise<PgConnection>;
  readonly logger: Logger;
  /** How often it looks by itself, should notifications not arrive (as behind a transaction pooler). */
  readonly lookIntervalMs?: number;
}

const LOOK_INTERVAL_MS = 250;
/** A server that takes longer counts as lost. */
const ANSWER_DEADLINE_MS = 500;
const RETRY_PAUSE_MS = 100;
/** What `isCurrent` promises. */
const STALE_AFTER_MS = 1000;
/** A look that comes later than this after the last one may have missed what was forgotten meanwhile. */
const LONGEST_GAP_MS = 60_000;
const FORGET_EVERY_MS = 600_000;

const LISTEN = 'listen mad_changes';

/** What was committed since the snapshot of the look before; the first look, with null, only takes the snapshot. */
const LOOK = `
  select pg_current_snapshot()::text as snapshot, coalesce((
    select jsonb_agg(distinct jsonb_build_object(
      'kind', case when placement then 'placement' else kind end, 'org_id', org_id, 'user_id', user_id))
    from changes
    where transaction_id >= pg_snapshot_xmin($1::pg_snapshot)
      and not pg_visible_in_snapshot(transaction_id, $1::pg_snapshot)
  ), '[]') as changes`;

const FORGET = `delete from changes where made_at < now() - interval '1 hour'`;

interface Look {
  readonly snapshot: string;
  readonly changes: readonly ChangeRow[];
}

interface Subscription {
  readonly subscriber: ChangeSubscriber;
  /** Whether it was reset since the connection was made. */
  synced: boolean;
}

/**
 * Follows the table of changes on a connection of its own. Notifications make it look at once; it looks now and then
 * anyway, so that a lost one delays a change and hides none. After a break everybody is reset.
 */
export class MetadataChangeFeed implements ChangeFeed {
  readonly #options: Required<ChangeFeedOptions>;
  readonly #subscriptions = new Set<Subscription>();
  #running: Promise<void> | null = null;
  #closed = false;
  #following = false;
  /** When the last look that everybody has been told of began, in `performance.now()`. */
  #currentAt = -Infinity;
  #forgotAt = performance.now();
  #wake: () => void = () => undefined;
  #woken = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = { lookIntervalMs: LOOK_INTERVAL_MS, ...options };
  }

  subscribe(subscriber: ChangeSubscriber): () => void {
    const subscription = { subscriber, synced: false };
    this.#subscriptions.add(subscription);
    this.#lookNow();
    return () => this.#subscriptions.delete(subscription);
  }

  get isCurrent(): boolean {
    return (
      this.#following &&
      performance.now() - this.#currentAt < STALE_AFTER_MS &&
      [...this.#subscriptions].every(({ synced }) => synced)
    );
  }

  /** Begins to follow. Resolves when everybody was reset, or the first attempt failed: it goes on trying. Safe to call twice. */
  async start(): Promise<void> {
    if (this.#running !== null || this.#closed) return;
    await new Promise<void>((attempted) => {
      this.#running = this.#run(attempted);
    });
  }

  /** Resolves when the connection is closed. Safe to call twice, and without a start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#lookNow();
    await this.#running;
  }

  async #run(attempted: () => void): Promise<void> {
    const goodbyes = new Set<Promise<void>>();
    while (!this.#closed) {
      let connection: PgConnection | null = null;
      try {
        connection = await this.#options.connect();
        await this.#follow(connection, attempted);
      } catch (error) {
        if (this.#following)
          this.#options.logger.warn({ err: error }, 'the feed of metadata changes broke off');
        else this.#options.logger.debug({ err: error }, 'the feed of metadata changes cannot be opened');
      }
      this.#following = false;
      for (const subscription of this.#subscriptions) subscription.synced = false;
      attempted();
      if (connection !== null) {
        // A server that stalls takes seconds to say goodbye to; the next connection does not wait for that.
        const goodbye = connection.close().finally(() => goodbyes.delete(goodbye));
        goodbyes.add(goodbye);
      }
      await this.#rest(RETRY_PAUSE_MS);
    }
    await Promise.all(goodbyes);
  }

  /** Looks again and again; throws when that fails. */
  async #follow(connection: PgConnection, synced: () => void): Promise<void> {
    connection.onNotification(() => this.#lookNow());
    connection.onLost(() => this.#lookNow());
    await withDeadline(connection.execute(LISTEN), ANSWER_DEADLINE_MS);
    let snapshot: string | null = null;
    while (!this.#closed) {
      const beganAt = performance.now();
      if (snapshot !== null && beganAt - this.#currentAt > LONGEST_GAP_MS)
        throw new Error('it slept for too long');
      const [answer]: readonly Look[] = await withDeadline(
        connection.query<Look>({ name: 'changes_look', text: LOOK, values: [snapshot] }),
        ANSWER_DEADLINE_MS,
      );
      if (answer === undefined) throw new Error('a look at the changes returned no row');
      await this.#tell(changesFrom(answer.changes));
      snapshot = answer.snapshot;
      this.#currentAt = beganAt;
      if (!this.#following) this.#options.logger.debug({}, 'the feed of metadata changes is open');
      this.#following = true;
      synced();
      await this.#forgetNowAndThen(connection);
      await this.#rest(this.#options.lookIntervalMs);
    }
  }

  async #tell(changes: readonly Change[]): Promise<void> {
    for (const subscription of this.#subscriptions) {
      if (!subscription.synced) {
        await subscription.subscriber.reset();
        subscription.synced = true;
      } else if (changes.length > 0) {
        await subscription.subscriber.changed(changes);
      }
    }
  }

  async #forgetNowAndThen(connection: PgConnection): Promise<void> {
    if (performance.now() - this.#forgotAt < FORGET_EVERY_MS) return;
    this.#forgotAt = performance.now();
    await connection.execute(FORGET);
  }

  #lookNow(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Until the time is over, or somebody says that there is something to see; at once if that was said meanwhile. */
  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), ms).unref();
      this.#wake = () => {
        clearTimeout(timer);
        this.#woken = false;
        resolve();
      };
      if (this.#woken) this.#wake();
    });
  }
}
