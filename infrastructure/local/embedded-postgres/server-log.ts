import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';

const MAX_BYTES = 10 * 1024 * 1024;
const TAIL_LINES = 20;

/** The file a server writes its log to. */
export interface ServerLog {
  readonly file: string;
  readonly fd: number;
  /** What was written since the log was opened. */
  read(): string;
  /** The last lines written since the log was opened, indented for an error message. */
  tail(): string;
  close(): void;
}

/** Opens the log for appending; one that has grown over 10 MiB first becomes `<file>.1`, replacing the one before. */
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
