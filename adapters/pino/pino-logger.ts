import { isatty } from 'node:tty';
import { pino, stdTimeFunctions, type DestinationStream, type LevelWithSilent } from 'pino';
import { textOf, type Logger } from '../../application/ports/runtime/logger.ts';
import type { LogEventName } from '../../application/ports/runtime/log-events/log-events.ts';
import { bufferedOutput, STDOUT, standardOutput } from './buffered-output.ts';
import { maskFields } from './mask-fields.ts';
import { maskPasswords } from './mask-passwords.ts';
import { proseOutput } from './prose-output.ts';
import { requestContextFields } from './request-context.ts';

export interface PinoLoggerOptions {
  readonly level: LevelWithSilent;
  /**
   * Default: standard output. A terminal gets prose, everything else JSON, buffered except at the levels `debug` and
   * `trace`.
   */
  readonly destination?: DestinationStream;
}

/** A log line holds at most this many nested causes. */
const MAX_CAUSES = 5;
/** A log line holds at most this many parts of an `AggregateError`. */
const MAX_ERRORS = 5;

/**
 * Makes a logger that writes one line of JSON for each entry. It masks secret fields, and passwords in URLs anywhere.
 */
export const createPinoLogger = ({ level, destination = outputFor(level) }: PinoLoggerOptions): Logger => {
  const output = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      // A mixin doubles the cost of a line, so only these levels have the request's fields on every line.
      ...(isForDebugging(level) && { mixin: requestContextFields }),
      formatters: { level: (label) => ({ level: label }), log: maskFields },
      serializers: { err: (error: unknown) => serializeError(error, MAX_CAUSES) },
      hooks: { streamWrite: maskPasswords },
    },
    destination,
  );
  // Each event's name is made JSON once: to copy the fields of a line beside it takes as long as a sixth of the line.
  const outputs = new Map<LogEventName, typeof output>();
  const outputOf = (event: LogEventName): typeof output => {
    const known = outputs.get(event);
    if (known !== undefined) return known;
    const made = output.child({ event });
    outputs.set(event, made);
    return made;
  };
  return {
    write: (event, fields, text = textOf(event)) => {
      if (!output.isLevelEnabled(text.level)) return;
      const line: object = fields;
      outputOf(event)[text.level](line, text.message);
    },
  };
};

const outputFor = (level: LevelWithSilent): DestinationStream => {
  if (isatty(STDOUT)) return proseOutput(standardOutput());
  return isForDebugging(level) ? standardOutput() : bufferedOutput();
};

const isForDebugging = (level: LevelWithSilent): boolean => level === 'debug' || level === 'trace';

interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** Omits all other fields of an error: those of a database error hold values of rows. */
const serializeError = (error: unknown, depth: number): SerializedError | string => {
  if (typeof error === 'string') return error;
  if (!(error instanceof Error)) return `${typeof error} thrown in place of an error`;
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  const parts: readonly unknown[] = error instanceof AggregateError ? error.errors.slice(0, MAX_ERRORS) : [];
  return {
    type: /^error$/i.test(name) ? error.constructor.name : name,
    message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth === 0 ? {} : { cause: serializeError(cause, depth - 1) }),
    // When every address of a host refuses a connection, only the parts hold the reasons.
    ...(parts.length === 0 || depth === 0 ? {} : { errors: parts.map((part) => serializeError(part, 0)) }),
  };
};
