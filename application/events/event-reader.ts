import type { EventRange } from '../../domain/events/event-trail.ts';
import type { EventType, JobEvent } from '../../domain/events/job-event.ts';
import type { EventWindow } from './event-window.ts';

/** Events that are given at a time. */
const PAGE = 100;

export interface EventReaderDeps {
  readonly window: EventWindow;
  /** Reads events that the window does not hold. */
  readonly readTrail: (range: EventRange) => Promise<readonly JobEvent[]>;
  readonly types: readonly EventType[];
  /** The position that it begins after. */
  readonly after: number;
  /** A reader that has got nothing for this long gets an empty list. */
  readonly keepAliveMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Called once. */
  readonly onEnd: () => void;
}

/**
 * Gives one stream its events, in order and without a gap. Its position in the trail is all that it keeps: from it the
 * window says what follows, or the trail where the window begins later. A stream takes the next events when its client has
 * taken those before, so a slow one falls behind and holds nothing in memory.
 */
export class EventReader {
  readonly #deps: EventReaderDeps;
  #position: number;
  #servedAt: number;
  #hasEnded = false;
  #wake: (() => void) | null = null;
  #end: () => void = () => undefined;
  /** Resolves when the reader has ended. */
  readonly ended: Promise<void>;

  constructor(deps: EventReaderDeps) {
    this.#deps = deps;
    this.#position = deps.after;
    this.#servedAt = deps.now();
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** All events up to it have been given. */
  get position(): number {
    return this.#position;
  }

  /**
   * Waits for events. One call at a time.
   *
   * @returns the next ones; none after a long time without any; null when the reader has ended
   * @throws when the trail cannot be read
   */
  async next(): Promise<readonly JobEvent[] | null> {
    const { window, keepAliveMs, now } = this.#deps;
    while (!this.#hasEnded) {
      const isWithin = window.holdsAllAfter(this.#position);
      const events = isWithin ? this.#readWindow() : await this.#readTrail();
      if (events.length > 0 || now() - this.#servedAt >= keepAliveMs) {
        this.#servedAt = now();
        return this.#hasEnded ? null : events;
      }
      if (isWithin && !this.#hasEnded)
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

  #readWindow(): readonly JobEvent[] {
    const { window, types } = this.#deps;
    const wanted = window.eventsAfter(this.#position).filter(({ type }) => types.includes(type));
    return this.#take(wanted.slice(0, PAGE), window.head);
  }

  async #readTrail(): Promise<readonly JobEvent[]> {
    const { window, types, readTrail } = this.#deps;
    // Everything up to this position is in the trail by now.
    const { head } = window;
    return this.#take(await readTrail({ after: this.#position, types, limit: PAGE }), head);
  }

  /** @param head the position up to which nothing more follows a page that is not full */
  #take(events: readonly JobEvent[], head: number): readonly JobEvent[] {
    const last = events.at(-1)?.position ?? this.#position;
    this.#position = events.length === PAGE ? last : Math.max(last, head);
    return events;
  }
}
