import type { JobEvent } from '../../domain/events/job-event.ts';

/** Events of one organization that are kept at a time: what comes within a second, in a lively one. */
const MOST_KEPT = 256;

/**
 * The latest events of one organization, in memory: from a position on it holds all that the trail holds, up to its head.
 * Readers within it need no query of their own.
 */
export class EventWindow {
  #head: number;
  /** No event that follows this position is missing. */
  #wholeAfter: number;
  readonly #events: JobEvent[] = [];

  /** @param head the position in the trail at which it begins, without any event */
  constructor(head: number) {
    this.#head = head;
    this.#wholeAfter = head;
  }

  get head(): number {
    return this.#head;
  }

  /** Whether it holds all events that follow a position, up to its head. */
  holdsAllAfter(position: number): boolean {
    return position >= this.#wholeAfter;
  }

  eventsAfter(position: number): readonly JobEvent[] {
    return this.#events.filter((event) => event.position > position);
  }

  /** Adds what the trail holds from the head to another one. */
  moveOn(events: readonly JobEvent[], head: number): void {
    this.#events.push(...events);
    this.#head = head;
    const dropped = this.#events.splice(0, Math.max(0, this.#events.length - MOST_KEPT));
    this.#wholeAfter = dropped.at(-1)?.position ?? this.#wholeAfter;
  }
}
