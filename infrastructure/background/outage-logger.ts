import type { LogEventName, LogFieldsOf } from '../../application/ports/runtime/log-events/log-events.ts';
import { textOf, type Logger } from '../../application/ports/runtime/logger.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { reasonsOf } from '../../domain/reason-of.ts';

const SUMMARY_EVERY_MS = 60_000;
const MAX_REASONS = 5;
const MAX_CAUSES = 5;
/** Written at the end of a process: the summary that would count them never comes. */
const LAST_WORDS: ReadonlySet<LogEventName> = new Set<LogEventName>(['service.stop_phase_failed']);

/**
 * A log in which an outage is one line a minute. While a database cannot be reached, every loop beside the requests fails
 * again and again, for each organization: those warnings and errors are counted, and each is still there at `debug`.
 */
export class OutageLogger implements Logger {
  readonly #logger: Logger;
  readonly #now: () => number;
  /** By what they said, since the last summary. */
  readonly #counts = new Map<string, number>();
  readonly #reasons = new Set<string>();
  #summarizedAt = -Infinity;

  /** @param now monotonic, in milliseconds */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  write<Name extends LogEventName>(event: Name, fields: LogFieldsOf<Name>, text = textOf(event)): void {
    const isTrouble = (text.level === 'warn' || text.level === 'error') && !LAST_WORDS.has(event);
    const error = isTrouble && 'err' in fields ? outageIn(fields.err) : null;
    if (error === null) this.#logger.write(event, fields, text);
    else {
      this.#logger.write(event, fields, { ...text, level: 'debug' });
      this.#count(text.message, error);
    }
  }

  #count(message: string, error: DatabaseConnectionError): void {
    this.#counts.set(message, (this.#counts.get(message) ?? 0) + 1);
    if (this.#reasons.size < MAX_REASONS) this.#reasons.add(reasonsOf(error));
    const now = this.#now();
    if (now - this.#summarizedAt >= SUMMARY_EVERY_MS) this.#summarize(now);
  }

  #summarize(now: number): void {
    this.#logger.write('outage.summary', {
      failures: Object.fromEntries(this.#counts),
      reasons: [...this.#reasons],
    });
    this.#summarizedAt = now;
    this.#counts.clear();
    this.#reasons.clear();
  }
}

/** The error that says that a database cannot be reached, among an error and its causes. */
const outageIn = (error: unknown): DatabaseConnectionError | null => {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    if (cause instanceof DatabaseConnectionError) return cause;
    cause = cause.cause;
  }
  return null;
};
