import { TooManyStreamsError } from '../../domain/events/errors.ts';
import { OperatorReader, type OperatorEvent, type OperatorNews } from './operator-reader.ts';
import type { Overview } from './overview.ts';

/** Streams of one process: operators are few, and a tab that nobody sees has none. */
export const MOST_OPERATOR_STREAMS = 100;
/** An overview that has not changed is told again after this time: it says that its numbers are not old. */
const REPEAT_MS = 10_000;

export interface OperatorStreamsDeps {
  readonly getOverview: () => Promise<Overview>;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

type MayRead = () => Promise<boolean>;

/**
 * The streams of operators in this process. All share one reading, which `look` makes while there are any: a stream more costs no
 * query more. An event says how something is, not what happened to it. So a stream begins with how everything is, a client that
 * connects again has missed nothing, and one that is slow gets the latest alone. It holds no timer: a loop calls `look`.
 * Decision 0051.
 */
export class OperatorStreams {
  readonly #deps: OperatorStreamsDeps;
  readonly #readers = new Map<OperatorReader, MayRead>();
  /** The latest of each type, and what it said without its moment. */
  readonly #latest = new Map<
    OperatorEvent['type'],
    { readonly event: OperatorEvent; readonly text: string }
  >();
  #toldAt = -Infinity;
  #id = 0;
  #isClosed = false;

  constructor(deps: OperatorStreamsDeps) {
    this.#deps = deps;
  }

  /** Streams that are open. */
  get count(): number {
    return this.#readers.size;
  }

  /**
   * The caller has to end the reader.
   *
   * @param mayRead whether the caller may still read. Never rejects. Asked again and again
   * @throws {TooManyStreamsError}
   */
  async open(mayRead: MayRead): Promise<OperatorReader> {
    if (this.#readers.size >= MOST_OPERATOR_STREAMS) throw new TooManyStreamsError(MOST_OPERATOR_STREAMS);
    const reader = new OperatorReader({
      latest: () => Array.from(this.#latest.values(), ({ event }) => event),
      now: this.#deps.now,
      onEnd: () => this.#readers.delete(reader),
    });
    this.#readers.set(reader, mayRead);
    // The client connects again, to another process.
    if (this.#isClosed) reader.end();
    else
      await this.#read().catch((error: unknown) => {
        reader.end();
        throw error;
      });
    return reader;
  }

  /** Ends the streams of those who may not read any longer, and tells the others what is new. */
  async look(): Promise<void> {
    if (this.#readers.size === 0) return;
    await Promise.all(
      Array.from(this.#readers, async ([reader, mayRead]) => {
        if (!(await mayRead())) reader.end();
      }),
    );
    try {
      if (this.#readers.size > 0) await this.#read();
    } finally {
      for (const reader of this.#readers.keys()) reader.wake();
    }
  }

  /** Ends all streams, and those that are opened later. */
  close(): void {
    this.#isClosed = true;
    for (const reader of this.#readers.keys()) reader.end();
  }

  async #read(): Promise<void> {
    const { getOverview, now } = this.#deps;
    const overview = await getOverview();
    const { at: _at, ...numbers } = overview;
    const isOld = now() - this.#toldAt >= REPEAT_MS;
    if (this.#note({ type: 'overview', overview }, numbers, isOld)) this.#toldAt = now();
    this.#note({ type: 'run', run: overview.run }, overview.run);
    this.#note({ type: 'finding', pass: overview.pass }, overview.pass);
  }

  /** @returns whether it is told: it is another than before, or to be told again */
  #note(news: OperatorNews, content: unknown, again = false): boolean {
    const text = JSON.stringify(content);
    if (!again && this.#latest.get(news.type)?.text === text) return false;
    this.#id += 1;
    this.#latest.set(news.type, { event: { ...news, id: this.#id }, text });
    return true;
  }
}
