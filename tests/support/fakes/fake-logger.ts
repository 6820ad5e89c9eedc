import type { LogEventName, LogFieldsOf } from '../../../application/ports/runtime/log-events/log-events.ts';
import { textOf, type Logger, type LogText } from '../../../application/ports/runtime/logger.ts';

export interface LogLine extends LogText {
  readonly event: LogEventName;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Remembers what it is told. */
export class FakeLogger implements Logger {
  readonly lines: LogLine[] = [];
  readonly #heard: (line: LogLine) => void;

  /** @param heard is told of each line as well */
  constructor(heard: (line: LogLine) => void = () => undefined) {
    this.#heard = heard;
  }

  write<Name extends LogEventName>(
    event: Name,
    fields: LogFieldsOf<Name>,
    { level, message }: LogText = textOf(event),
  ): void {
    const line = { event, level, message, fields: { ...fields } };
    this.lines.push(line);
    this.#heard(line);
  }

  /** The texts of the lines above `debug`. */
  get said(): readonly string[] {
    return this.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message);
  }
}
