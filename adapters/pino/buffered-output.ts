import { pino, type DestinationStream } from 'pino';

const BUFFER_BYTES = 4096;
const FLUSH_INTERVAL_MS = 100;
export const STDOUT = 1;
/** What cannot be written is kept up to this, and lost beyond. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024;

/**
 * Returns standard output. A terminal that was closed and a full disk cost lines of the log: without a listener the error
 * would end the process, in the middle of a stop or of its service.
 */
export const standardOutput = (options: { minLength?: number; periodicFlush?: number } = {}) =>
  pino
    .destination({ dest: STDOUT, sync: true, maxLength: MAX_UNWRITTEN_BYTES, ...options })
    .on('error', () => undefined);

/**
 * Returns standard output with a buffer, because a system call costs several times as much as a log line. A line is
 * written after 100 ms at most. SIGKILL loses buffered lines; any other exit of the process writes them.
 */
export const bufferedOutput = (): DestinationStream => (output ??= open());

/** The process has only one buffer: two would write their lines out of order. */
let output: DestinationStream | undefined;

const open = (): DestinationStream => {
  const stream = standardOutput({ minLength: BUFFER_BYTES, periodicFlush: FLUSH_INTERVAL_MS });
  // Not `flushSync`: it retries for ever when the reader of the pipe has stopped.
  process.once('exit', () => stream.flush());
  return stream;
};
