import { pino, type DestinationStream } from 'pino';

const BUFFER_BYTES = 4096;
const FLUSH_INTERVAL_MS = 100;

/**
 * Returns standard output with a buffer, because a system call costs several times as much as a log line. A line is
 * written after 100 ms at most. SIGKILL loses buffered lines; any other exit of the process writes them.
 */
export const bufferedOutput = (): DestinationStream => (output ??= open());

/** The process has only one buffer: two would write their lines out of order. */
let output: DestinationStream | undefined;

const open = (): DestinationStream => {
  const stream = pino.destination({
    dest: 1,
    sync: true,
    minLength: BUFFER_BYTES,
    periodicFlush: FLUSH_INTERVAL_MS,
  });
  // Not `flushSync`: it retries for ever when the reader of the pipe has stopped.
  process.once('exit', () => stream.flush());
  return stream;
};
