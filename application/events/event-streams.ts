import { TooManyStreamsError } from '../../domain/events/errors.ts';
import type { EventTrail } from '../../domain/events/event-trail.ts';
import type { EventType } from '../../domain/events/job-event.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { ChangeFeed } from '../ports/runtime/change-feed.ts';
import { EventReader } from './event-reader.ts';
import { EventWindow } from './event-window.ts';

/** Streams of one organization in this process. */
export const MOST_STREAMS = 20;
const KEEP_ALIVE_MS = 15_000;
/** Entries of one organization that one look reads. */
const NEWS_LIMIT = 256;

export interface EventStreamsDeps {
  readonly trail: EventTrail;
  readonly feed: Pick<ChangeFeed, 'isCurrent'>;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

export interface StreamRequest {
  /** `latest`, or one that the trail has not reached: what has happened before is left out. */
  readonly after: number | 'latest';
  readonly types: readonly EventType[];
  /** Whether the caller may still read. Never rejects. Asked again and again. */
  readonly mayRead: () => Promise<boolean>;
}

/** An organization with streams. */
interface Followed {
  /** Streams, those that are being opened included. */
  streams: number;
  readonly begun: Promise<EventWindow>;
  /** Null until it has begun. */
  window: EventWindow | null;
  readonly readers: Map<EventReader, StreamRequest['mayRead']>;
  /** The last read of the trail. They follow one another: one organization takes one connection at most. */
  reading: Promise<unknown>;
}

/**
 * The event streams of this process. `look` reads what is new for all organizations that have streams, in one query; a
 * process without streams asks nothing. It holds no timer: a loop calls `look`. Decision 0050.
 */
export class EventStreams {
  readonly #deps: EventStreamsDeps;
  readonly #followed = new Map<OrganizationId, Followed>();
  #isClosed = false;

  constructor(deps: EventStreamsDeps) {
    this.#deps = deps;
  }

  /** Streams that are open. */
  get count(): number {
    let count = 0;
    for (const { streams } of this.#followed.values()) count += streams;
    return count;
  }

  /** Whether anybody follows the organization. */
  follows(organizationId: OrganizationId): boolean {
    return this.#followed.has(organizationId);
  }

  /**
   * The caller has to end the reader.
   *
   * @throws {TooManyStreamsError}
   */
  async open(organizationId: OrganizationId, request: StreamRequest): Promise<EventReader> {
    const followed = this.#follow(organizationId);
    if (followed.streams >= MOST_STREAMS) throw new TooManyStreamsError(MOST_STREAMS);
    followed.streams += 1;
    const leave = (): void => {
      followed.streams -= 1;
      if (followed.streams === 0) this.#followed.delete(organizationId);
    };
    const { window, after } = await this.#begin(organizationId, followed, request).catch((error: unknown) => {
      leave();
      throw error;
    });
    const { trail, now } = this.#deps;
    const reader = new EventReader({
      window,
      types: request.types,
      after,
      keepAliveMs: KEEP_ALIVE_MS,
      now,
      readTrail: (range) => {
        const read = followed.reading.then(() => trail.list(organizationId, range));
        followed.reading = read.catch(() => undefined);
        return read;
      },
      onEnd: () => {
        followed.readers.delete(reader);
        leave();
      },
    });
    followed.readers.set(reader, request.mayRead);
    // The client connects again, to another process.
    if (this.#isClosed) reader.end();
    return reader;
  }

  /**
   * Ends the streams of those who may not read any longer, and wakes the others when there is something for them.
   *
   * @returns whether there may be more already
   */
  async look(): Promise<boolean> {
    if (this.#followed.size === 0) return false;
    // While the feed is behind, each of these would be a query. Streams ask before they send anything as well.
    if (this.#deps.feed.isCurrent) await this.#endRefused();
    try {
      return await this.#readNews();
    } finally {
      for (const { readers } of this.#followed.values()) for (const reader of readers.keys()) reader.wake();
    }
  }

  /** Ends all streams, and those that are opened later. */
  close(): void {
    this.#isClosed = true;
    for (const { readers } of this.#followed.values()) for (const reader of readers.keys()) reader.end();
  }

  #follow(organizationId: OrganizationId): Followed {
    const known = this.#followed.get(organizationId);
    if (known !== undefined) return known;
    const begun = this.#deps.trail.latestPosition(organizationId).then((head) => new EventWindow(head));
    const followed: Followed = {
      streams: 0,
      begun,
      window: null,
      readers: new Map(),
      reading: Promise.resolve(),
    };
    begun.then(
      (window) => {
        followed.window = window;
      },
      () => undefined,
    );
    this.#followed.set(organizationId, followed);
    return followed;
  }

  /** Where a stream begins. */
  async #begin(
    organizationId: OrganizationId,
    { begun }: Followed,
    { after }: StreamRequest,
  ): Promise<{ readonly window: EventWindow; readonly after: number }> {
    const window = await begun;
    if (after === 'latest') return { window, after: window.head };
    // Another process may have read on by now. A position that the trail has not reached is one of before it was restored.
    const latest = after > window.head ? await this.#deps.trail.latestPosition(organizationId) : after;
    return { window, after: Math.min(after, latest) };
  }

  async #endRefused(): Promise<void> {
    const readers = [...this.#followed.values()].flatMap((followed) => [...followed.readers]);
    await Promise.all(
      readers.map(async ([reader, mayRead]) => {
        if (!(await mayRead())) reader.end();
      }),
    );
  }

  async #readNews(): Promise<boolean> {
    const windows = new Map<OrganizationId, EventWindow>();
    const heads = new Map<OrganizationId, number>();
    for (const [organizationId, { window }] of this.#followed) {
      if (window === null) continue;
      windows.set(organizationId, window);
      heads.set(organizationId, window.head);
    }
    if (heads.size === 0) return false;
    const news = await this.#deps.trail.listNews(heads, NEWS_LIMIT);
    for (const { organizationId, events, head } of news) windows.get(organizationId)?.moveOn(events, head);
    return news.some(({ isCut }) => isCut);
  }
}
