import type { HttpResponse } from './http-locals.ts';

/** Where a stream's events come from. */
export interface EventSource<Event> {
  /** The position at which the stream begins. */
  readonly position: number;
  /** Resolves when nothing more comes. */
  readonly ended: Promise<void>;
  /** The next events; none when the client should hear that the stream lives; null at the end. */
  next(): Promise<readonly Event[] | null>;
  end(): void;
}

/** One event on the wire. Its fields hold no line breaks. */
export interface SentEvent {
  readonly id: number;
  readonly type: string;
  readonly data: object;
}

export interface EventStreamOptions<Event> {
  /** Called before the head is sent. It may throw. */
  readonly open: () => Promise<EventSource<Event>>;
  readonly present: (event: Event) => SentEvent;
  /** Asked before anything is sent. Never rejects. */
  readonly mayRead: () => Promise<boolean>;
}

/** Clients connect again after 1 to 3 s: those of a process that stopped do not come all at once. */
const RETRY_MS = { least: 1000, spread: 2000 } as const;

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // A proxy or our own compression would hold events back.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
} as const;

const KEEP_ALIVE = ': still here\n\n';

/**
 * The body of an answer that goes on until its client leaves, its source ends, or its caller may not read any longer: server-sent
 * events (`text/event-stream`). Nothing is asked of the source before the client has taken what was sent. Decision 0050.
 */
export class EventStream<Event> {
  readonly #options: EventStreamOptions<Event>;

  constructor(options: EventStreamOptions<Event>) {
    this.#options = options;
  }

  /** Resolves when the response has ended. Rejects when the source fails. */
  async sendTo(res: HttpResponse): Promise<void> {
    res.status(200).set(HEADERS);
    if (res.req.method === 'HEAD') {
      res.end();
      return;
    }
    const source = await this.#options.open();
    res.on('close', () => source.end());
    // The client went away meanwhile: `close` has been emitted already.
    if (res.closed) {
      source.end();
      return;
    }
    try {
      await this.#send(res, source);
    } finally {
      source.end();
    }
    // A client that has not taken everything may never do: it reads on from the last event that it has.
    if (res.writableLength > 0) res.destroy();
    else res.end();
  }

  async #send(res: HttpResponse, source: EventSource<Event>): Promise<void> {
    const { present, mayRead } = this.#options;
    const { share } = res.locals;
    const retryMs = RETRY_MS.least + Math.floor(Math.random() * RETRY_MS.spread);
    res.locals.streamBeganAtMs = performance.now();
    res.write(`retry: ${retryMs}\nid: ${source.position}\n\n`);
    share?.correct(0);
    for (;;) {
      const events = await source.next();
      if (events === null || !(await mayRead()) || res.closed) return;
      const text = events.length === 0 ? KEEP_ALIVE : events.map((event) => textOf(present(event))).join('');
      share?.correct(Buffer.byteLength(text));
      if (!res.write(text)) await Promise.race([drained(res), source.ended]);
      share?.correct(0);
    }
  }
}

const textOf = ({ id, type, data }: SentEvent): string =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

const drained = (res: HttpResponse): Promise<void> =>
  new Promise((resolve) => {
    res.once('drain', resolve);
  });
