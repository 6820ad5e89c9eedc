import { pino, type DestinationStream } from 'pino';

const PIECE_BYTES = 4096;
const PATIENCE_MS = 100;

/**
 * Standard output in pieces: a system call for each line costs a multiple of the line. A line waits 100 ms at most; what
 * a killed process has not written is lost; at every other end of the process it is written, if somebody reads it.
 */
export const bufferedOutput = (): DestinationStream => (output ??= open());

/** One for the process: two would mix up the order of their lines. */
let output: DestinationStream | undefined;

const open = (): DestinationStream => {
  const stream = pino.destination({
    dest: 1,
    sync: true,
    minLength: PIECE_BYTES,
    periodicFlush: PATIENCE_MS,
  });
  // Not `flushSync`, which goes on trying for ever when nobody reads any more.
  process.once('exit', () => stream.flush());
  return stream;
};
