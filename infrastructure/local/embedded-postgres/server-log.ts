import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';

const MAX_BYTES = 10 * 1024 * 1024;
const TAIL_LINES = 20;

/** The open log file of a server. */
export interface ServerLog {
  readonly file: string;
  readonly fd: number;
  /** Returns all text written since the log was opened. */
  read(): string;
  /** Returns the last 20 lines of `read`, indented for an error message. */
  tail(): string;
  close(): void;
}

/** Opens the log for appending. A log over 10 MiB is first renamed to `<file>.1`, which replaces an older one. */
export const openServerLog = (file: string): ServerLog => {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_BYTES) renameSync(file, `${file}.1`);
  const fd = openSync(file, 'a', 0o600);
  const start = fstatSync(fd).size;
  const read = (): string => readFileSync(file).subarray(start).toString();
  return {
    file,
    fd,
    read,
    tail: () =>
      read()
        .trimEnd()
        .split('\n')
        .slice(-TAIL_LINES)
        .map((line) => `  ${line}`)
        .join('\n'),
    close: () => closeSync(fd),
  };
};
