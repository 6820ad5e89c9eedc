import { DATABASE_EVENTS } from './database-events.ts';
import type { FieldsOf } from './log-event.ts';
import { REQUEST_EVENTS } from './request-events.ts';
import { SERVER_EVENTS } from './server-events.ts';
import { SERVICE_EVENTS } from './service-events.ts';
import { WORKER_EVENTS } from './worker-events.ts';

/** Everything that a log can say, by the name on the line. `docs/events.md` is written from it by `npm run events`. */
export const LOG_EVENTS = {
  ...REQUEST_EVENTS,
  ...DATABASE_EVENTS,
  ...SERVER_EVENTS,
  ...SERVICE_EVENTS,
  ...WORKER_EVENTS,
} as const;

export type LogEventName = keyof typeof LOG_EVENTS;

export type LogFieldsOf<Name extends LogEventName> = FieldsOf<(typeof LOG_EVENTS)[Name]>;
