import { LOG_EVENTS, type LogEventName, type LogFieldsOf } from './log-events/log-events.ts';
import type { LogLevel } from './log-events/log-event.ts';

/** How a line is written where the catalogue does not say it: an outage that is summed up, a text that names a server. */
export interface LogText {
  readonly level: LogLevel;
  readonly message: string;
}

/**
 * A structured log. Each line is an event of the catalogue, which has its level and its text. Fields must not hold SQL
 * parameters, tokens or connection strings. Decision 0057.
 */
export interface Logger {
  /** @param text default: what the catalogue says of the event */
  write<Name extends LogEventName>(event: Name, fields: LogFieldsOf<Name>, text?: LogText): void;
}

export const textOf = (event: LogEventName): LogText => LOG_EVENTS[event];
