import type { Change, ChangeFeed, ChangeSubscriber } from '../../application/ports/runtime/change-feed.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import { withDeadline } from '../timing/with-deadline.ts';
import { changesFrom, type ChangeRow } from './change-row.ts';

export interface ChangeFeedOptions {
  /** Opens the one connection that the feed listens on. */
  readonly connect: () => Promise<PgConnection>;
  readonly logger: Logger;
  /** How often it looks by itself, should notifications not arrive (as behind a transaction pooler). Default 250 ms. */
  readonly lookIntervalMs?: number;
}

const LOOK_INTERVAL_MS = 250;
/** A server that takes longer counts as lost. */
const ANSWER_DEADLINE_MS = 500;
const RETRY_PAUSE_MS = 100;
/** What `isCurrent` promises. */
const STALE_AFTER_MS = 1000;
/** A look that comes later than this after the one before may miss changes whose rows were deleted meanwhile. */
const LONGEST_GAP_MS = 60_000;
const FORGET_EVERY_MS = 600_000;

const LISTEN = 'listen mad_changes';

/** Selects what was committed since the snapshot of the look before. The first look, with null, only takes a snapshot. */
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
 * Follows the table of changes on a connection of its own. A notification makes it look at once. It looks now and then
 * anyway, so that a lost notification delays a change and hides none. After a break every subscriber is reset. Decision 0014.
 *
 * States: apart (no connection) → connected → following (the last look went well) → apart, when a look fails.
 */
export class MetadataChangeFeed implements ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #looks: Periodic;
  readonly #subscriptions = new Set<Subscription>();
  #connection: PgConnection | null = null;
  /** Of the last look on this connection; null before the first. */
  #snapshot: string | null = null;
  #following = false;
  /** When the last look that every subscriber has been told of began, in `performance.now()`. */
  #currentAt = -Infinity;
  #forgotAt = performance.now();
  readonly #closing = new Set<Promise<void>>();

  constructor({ lookIntervalMs = LOOK_INTERVAL_MS, ...options }: ChangeFeedOptions) {
    this.#options = options;
    this.#looks = new Periodic({
      everyMs: lookIntervalMs,
      work: () => this.#look(),
      onFailure: (error) => this.#breakOff(error),
    });
  }

  subscribe(subscriber: ChangeSubscriber): () => void {
    const subscription = { subscriber, synced: false };
    this.#subscriptions.add(subscription);
    this.#looks.kick();
    return () => this.#subscriptions.delete(subscription);
  }

  get isCurrent(): boolean {
    return (
      this.#following &&
      performance.now() - this.#currentAt < STALE_AFTER_MS &&
      [...this.#subscriptions].every(({ synced }) => synced)
    );
  }

  get report(): RunReport {
    return this.#looks.report;
  }

  /** Resolves when every subscriber was reset, or the first attempt failed: it goes on trying. Safe to call twice. */
  async start(): Promise<void> {
    this.#looks.start();
    await this.#looks.run();
  }

  /** Resolves when the connection is closed. Safe to call twice, and without a start. */
  async close(): Promise<void> {
    await this.#looks.close();
    this.#disconnect();
    await Promise.all(this.#closing);
  }

  /** Tells of what was committed since the look before. Throws when the connection or a subscriber fails. */
  async #look(): Promise<void> {
    const connection = this.#connection ?? (await this.#connect());
    const beganAt = performance.now();
    if (this.#snapshot !== null && beganAt - this.#currentAt > LONGEST_GAP_MS)
      throw new Error('it slept for too long');
    const [answer]: readonly Look[] = await withDeadline(
      connection.query<Look>({ name: 'changes_look', text: LOOK, values: [this.#snapshot] }),
      ANSWER_DEADLINE_MS,
    );
    if (answer === undefined) throw new Error('a look at the changes returned no row');
    await this.#tell(changesFrom(answer.changes));
    this.#snapshot = answer.snapshot;
    this.#currentAt = beganAt;
    if (!this.#following) this.#options.logger.debug({}, 'the feed of metadata changes is open');
    this.#following = true;
    await this.#forgetNowAndThen(connection);
  }

  async #connect(): Promise<PgConnection> {
    const connection = await this.#options.connect();
    this.#connection = connection;
    connection.onNotification(() => this.#looks.kick());
    connection.onLost(() => this.#looks.kick());
    await withDeadline(connection.execute(LISTEN), ANSWER_DEADLINE_MS);
    return connection;
  }

  #breakOff(error: unknown): void {
    if (this.#following) this.#options.logger.warn({ err: error }, 'the feed of metadata changes broke off');
    else this.#options.logger.debug({ err: error }, 'the feed of metadata changes cannot be opened');
    for (const subscription of this.#subscriptions) subscription.synced = false;
    this.#disconnect();
    this.#looks.kick(RETRY_PAUSE_MS);
  }

  /** A server that stalls takes seconds to say goodbye to; the next connection does not wait for that. */
  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = null;
    this.#snapshot = null;
    this.#following = false;
    if (connection === null) return;
    const closed = connection.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
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
}
