import { EventSource } from 'eventsource';
import { EVENT_TYPES } from '../../domain/events/job-event.ts';

/** As the contract writes an event. */
export interface Event {
  readonly event_id: string;
  readonly position: number;
  readonly type: string;
  readonly job_id: string | null;
  readonly campaign_id: string | null;
  readonly status: string | null;
  readonly ts: string;
  readonly [extra: string]: unknown;
}

export interface EventPage {
  readonly items: readonly Event[];
  readonly next_after: number;
}

/** A client of server-sent events, as browsers have one. It connects again by itself. */
export class EventClient {
  readonly events: Event[] = [];
  /** The ids of the events, as they stood on the wire. */
  readonly ids: string[] = [];
  /** The `Last-Event-ID` of each connection that was tried. */
  readonly attempts: (string | null)[] = [];
  /** Statuses of the answers to them. */
  readonly statuses: number[] = [];
  readonly #source: EventSource;

  /** @param types of the events that are kept */
  constructor(url: string, token: string, types: readonly string[] = EVENT_TYPES) {
    this.#source = new EventSource(url, {
      fetch: async (input, init) => {
        const headers = new Headers(init.headers);
        this.attempts.push(headers.get('Last-Event-ID'));
        headers.set('Authorization', `Bearer ${token}`);
        const response = await fetch(input, { ...init, headers });
        this.statuses.push(response.status);
        return response;
      },
    });
    for (const type of types)
      this.#source.addEventListener(type, ({ data, lastEventId }) => {
        // The checks of each test say what is in it.
        this.events.push(JSON.parse(String(data)) as Event);
        this.ids.push(lastEventId);
      });
  }

  get isOpen(): boolean {
    return this.#source.readyState === EventSource.OPEN;
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }

  close(): void {
    this.#source.close();
  }
}
