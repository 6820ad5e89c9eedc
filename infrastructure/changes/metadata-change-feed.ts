import type { Change, ChangeFeed, ChangeSubscriber } from '../../application/ports/runtime/change-feed.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import { withDeadline } from '../timing/with-deadline.ts';
import { changesFrom, type ChangeRow } from './change-row.ts';

export interface ChangeFeedOptions {
  /** Opens the one connection that the feed listens on. */
  readonly connect: () => Promise<PgConnection>;
  /** The feed reconnects when the server takes longer to answer. It may take as long as a connect. Decision 0041. */
  readonly answerDeadlineMs: number;
  readonly logger: Logger;
  /** The feed also polls at this interval: a transaction pooler loses notifications. Default: 250. */
  readonly pollIntervalMs?: number;
}

const POLL_INTERVAL_MS = 250;
const RETRY_PAUSE_MS = 100;
/** `isCurrent` turns false when the last successful poll began longer ago than this. */
const STALE_AFTER_MS = 1000;
/** After a longer gap every subscriber is reset. It is far below the hour after which rows are deleted. */
const LONGEST_GAP_MS = 60_000;
const DELETE_EVERY_MS = 600_000;
/** The log says again and again that the feed is behind. */
const WARN_EVERY_MS = 60_000;

const LISTEN = 'listen mad_changes';

/** Selects what was committed since the snapshot $1, and the new snapshot. Without $1 it only takes the snapshot. */
const READ_CHANGES = `
  select pg_current_snapshot()::text as snapshot, coalesce((
    select jsonb_agg(distinct jsonb_build_object(
      'kind', case when placement then 'placement' else kind end, 'org_id', org_id, 'user_id', user_id))
    from changes
    where transaction_id >= pg_snapshot_xmin($1::pg_snapshot)
      and not pg_visible_in_snapshot(transaction_id, $1::pg_snapshot)
  ), '[]') as changes`;

const DELETE_OLD = `delete from changes where made_at < now() - interval '1 hour'`;

/** An event loop that stood still makes the poll under way late, and the one after it. No server is away then. */
const LATE_BY_STANDSTILL = 2;

interface PollResult {
  readonly snapshot: string;
  readonly changes: readonly ChangeRow[];
}

interface Subscription {
  readonly subscriber: ChangeSubscriber;
  /** Whether the subscriber was reset since the feed connected. */
  synced: boolean;
}

/**
 * Follows the table of changes on a separate connection. A notification makes the feed poll at once. It also polls at
 * an interval, so a lost notification delays a change but never hides it. Decision 0014.
 *
 * States: disconnected → connected → following (the last poll succeeded). A failed poll leads back to disconnected;
 * then every subscriber is reset after the next connect.
 */
export class MetadataChangeFeed implements ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #polls: Periodic;
  readonly #subscriptions = new Set<Subscription>();
  #connection: PgConnection | null = null;
  /** The snapshot of the last poll on this connection; null before the first. */
  #snapshot: string | null = null;
  #following = false;
  /** When the last poll began whose changes every subscriber has got, in `performance.now()`. */
  #currentAt = -Infinity;
  #deletedAt = performance.now();
  /** Whether the last poll ended more than `STALE_AFTER_MS` after the one before it began. */
  #wasLate = false;
  /** How many polls were late, one after the other. */
  #latePolls = 0;
  /** When the log last said that the feed is behind, in `performance.now()`; null while it is not. */
  #warnedAt: number | null = null;
  readonly #closing = new Set<Promise<void>>();

  constructor({ pollIntervalMs = POLL_INTERVAL_MS, ...options }: ChangeFeedOptions) {
    this.#options = options;
    this.#polls = new Periodic({
      everyMs: pollIntervalMs,
      work: () => this.#poll(),
      onFailure: (error) => this.#onFailure(error),
    });
  }

  subscribe(subscriber: ChangeSubscriber): () => void {
    const subscription = { subscriber, synced: false };
    this.#subscriptions.add(subscription);
    this.#polls.kick();
    return () => this.#subscriptions.delete(subscription);
  }

  get isCurrent(): boolean {
    return (
      this.#following &&
      performance.now() - this.#currentAt < STALE_AFTER_MS &&
      [...this.#subscriptions].every(({ synced }) => synced)
    );
  }

  get isBehind(): boolean {
    return this.#wasLate || !this.isCurrent;
  }

  /** The age of what the subscribers know, in milliseconds; null before the first poll. */
  get ageMs(): number | null {
    return this.#currentAt === -Infinity ? null : performance.now() - this.#currentAt;
  }

  run(): Promise<void> {
    return this.#polls.run();
  }

  get report(): RunReport {
    return this.#polls.report;
  }

  /** Resolves after the first poll. When that failed, the feed goes on trying. Safe to call twice. */
  async start(): Promise<void> {
    this.#polls.start();
    await this.#polls.run();
  }

  /** Resolves when all connections are closed. Safe to call twice, and without `start`. */
  async close(): Promise<void> {
    await this.#polls.close();
    this.#disconnect();
    await Promise.all(this.#closing);
  }

  /** Reads the changes since the last poll and passes them on. Rejects when the connection or a subscriber fails. */
  async #poll(): Promise<void> {
    const connection = this.#connection ?? (await this.#connect());
    if (connection.isReplaced) throw new Error('its server was replaced');
    const beganAt = performance.now();
    if (this.#snapshot !== null && beganAt - this.#currentAt > LONGEST_GAP_MS)
      throw new Error('it slept for too long');
    const [answer]: readonly PollResult[] = await withDeadline(
      connection.query<PollResult>({ name: 'changes_look', text: READ_CHANGES, values: [this.#snapshot] }),
      this.#options.answerDeadlineMs,
    );
    if (answer === undefined) throw new Error('a look at the changes returned no row');
    await this.#publish(changesFrom(answer.changes));
    this.#snapshot = answer.snapshot;
    this.#judge(null);
    this.#currentAt = beganAt;
    this.#following = true;
    await this.#deleteOld(connection);
  }

  /** At the end of each poll: how late it came. @param error of a poll that failed */
  #judge(error: unknown): void {
    const { logger } = this.#options;
    const now = performance.now();
    const age = now - this.#currentAt;
    // The first poll has none before it.
    this.#wasLate = age >= STALE_AFTER_MS && (age < Infinity || error !== null);
    this.#latePolls = this.#wasLate ? this.#latePolls + 1 : 0;
    if (!this.#wasLate) {
      if (this.#warnedAt !== null) logger.write('change_feed.current', {});
      this.#warnedAt = null;
    } else if (this.#latePolls > LATE_BY_STANDSTILL && now - (this.#warnedAt ?? -Infinity) >= WARN_EVERY_MS) {
      this.#warnedAt = now;
      logger.write('change_feed.behind', {
        behind_ms: age < Infinity ? Math.round(age) : null,
        ...(error !== null && { reason: reasonOf(error) }),
      });
    }
  }

  async #connect(): Promise<PgConnection> {
    const connection = await this.#options.connect();
    this.#connection = connection;
    connection.onNotification(() => this.#polls.kick());
    connection.onLost(() => this.#polls.kick());
    await withDeadline(connection.execute(LISTEN), this.#options.answerDeadlineMs);
    return connection;
  }

  #onFailure(error: unknown): void {
    this.#options.logger.write('change_feed.broken', { err: error });
    this.#judge(error);
    for (const subscription of this.#subscriptions) subscription.synced = false;
    this.#disconnect();
    this.#polls.kick(RETRY_PAUSE_MS);
  }

  /**
   * Does not wait for the close: with a server that stalls it takes two seconds, and the next connect must not wait.
   */
  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = null;
    this.#snapshot = null;
    this.#following = false;
    if (connection === null) return;
    const closed = connection.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  async #publish(changes: readonly Change[]): Promise<void> {
    for (const subscription of this.#subscriptions) {
      if (!subscription.synced) {
        await subscription.subscriber.reset();
        subscription.synced = true;
      } else if (changes.length > 0) {
        await subscription.subscriber.changed(changes);
      }
    }
  }

  async #deleteOld(connection: PgConnection): Promise<void> {
    if (performance.now() - this.#deletedAt < DELETE_EVERY_MS) return;
    this.#deletedAt = performance.now();
    await connection.execute(DELETE_OLD);
  }
}
