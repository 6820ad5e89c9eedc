import { pino, stdTimeFunctions, type DestinationStream, type LevelWithSilent } from 'pino';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { bufferedOutput } from './buffered-output.ts';
import { maskFields } from './mask-fields.ts';
import { maskPasswords } from './mask-passwords.ts';
import { requestContextFields } from './request-context.ts';

export interface PinoLoggerOptions {
  readonly level: LevelWithSilent;
  /** By default standard output: in pieces, but for levels at which somebody watches. */
  readonly destination?: DestinationStream;
}

/** Longest chain of causes worth a log line. */
const MAX_CAUSES = 5;
/** Most parts of an aggregate error. */
const MAX_ERRORS = 5;

/** A line of JSON an entry; secrets by their field's name, and passwords in URLs wherever they stand, are masked. */
export const createPinoLogger = ({
  level,
  destination = isWatched(level) ? pino.destination(1) : bufferedOutput(),
}: PinoLoggerOptions): Logger =>
  pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      // Merging its fields costs as much as the line; without a context there are none.
      ...(isWatched(level) && { mixin: requestContextFields }),
      formatters: { level: (label) => ({ level: label }), log: maskFields },
      serializers: { err: (error: unknown) => serializeError(error, MAX_CAUSES) },
      hooks: { streamWrite: maskPasswords },
    },
    destination,
  );

const isWatched = (level: LevelWithSilent): boolean => level === 'debug' || level === 'trace';

interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** An error's other fields are left out: those of a database error hold values of rows. */
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
    // A connection refused on each of a host's addresses says why in its parts alone.
    ...(parts.length === 0 || depth === 0 ? {} : { errors: parts.map((part) => serializeError(part, 0)) }),
  };
};
