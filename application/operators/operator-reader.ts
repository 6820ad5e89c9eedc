import type { Standing } from '../ports/operators/operators-ledger.ts';
import type { Overview } from './overview.ts';

/** What operators are told of, as it is now. */
export type OperatorNews =
  | { readonly type: 'overview'; readonly overview: Overview }
  /** Null: no run is unfinished any more. */
  | { readonly type: 'run'; readonly run: Standing['run'] }
  /** Null: the servers were never compared with the ledger. */
  | { readonly type: 'finding'; readonly pass: Standing['pass'] };

export type OperatorEvent = OperatorNews & {
  /** Rises along the events of one process. */
  readonly id: number;
};

/** A client that gets nothing for this long hears that the stream lives. */
const KEEP_ALIVE_MS = 15_000;

export interface OperatorReaderDeps {
  /** The latest event of each type. */
  readonly latest: () => readonly OperatorEvent[];
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Called once. */
  readonly onEnd: () => void;
}

/** Gives one stream what it has not got yet of the latest. The id of what it gave last is all that it keeps. */
export class OperatorReader {
  readonly #deps: OperatorReaderDeps;
  #position = 0;
  #servedAt: number;
  #hasEnded = false;
  #wake: (() => void) | null = null;
  #end: () => void = () => undefined;
  /** Resolves when the reader has ended. */
  readonly ended: Promise<void>;

  constructor(deps: OperatorReaderDeps) {
    this.#deps = deps;
    this.#servedAt = deps.now();
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get position(): number {
    return this.#position;
  }

  /**
   * Waits for events. One call at a time.
   *
   * @returns the next ones; none after a long time without any; null when the reader has ended
   */
  async next(): Promise<readonly OperatorEvent[] | null> {
    const { latest, now } = this.#deps;
    while (!this.#hasEnded) {
      const news = latest().filter(({ id }) => id > this.#position);
      if (news.length > 0 || now() - this.#servedAt >= KEEP_ALIVE_MS) {
        this.#servedAt = now();
        this.#position = Math.max(this.#position, ...news.map(({ id }) => id));
        return news.toSorted((one, other) => one.id - other.id);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return null;
  }

  /** Has a reader that waits look again. */
  wake(): void {
    this.#wake?.();
    this.#wake = null;
  }

  /** Safe to call twice. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.wake();
    this.#end();
    this.#deps.onEnd();
  }
}
