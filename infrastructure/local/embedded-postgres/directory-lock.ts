import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { runCommand } from './run-command.ts';

/**
 * A lock the kernel holds (flock). Every process that inherits `fd` shares it, and it ends when the last of them has:
 * handed to the server, it says "a server lives here" without a process id that may be stale or used again.
 */
export interface DirectoryLock {
  readonly fd: number;
  /** Closes our share of the lock; safe to call twice. */
  release(): void;
}

const POLL_INTERVAL_MS = 50;
/** `open` takes the lock itself on macOS, which has no flock command; Node does not name the flag. */
const DARWIN_O_EXLOCK = 0x20;

const errorCode = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

const openLocked = async (file: string): Promise<number | undefined> => {
  const flags = constants.O_RDWR | constants.O_CREAT;
  if (process.platform === 'darwin') {
    try {
      return openSync(file, flags | constants.O_NONBLOCK | DARWIN_O_EXLOCK, 0o600);
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') return undefined;
      throw error;
    }
  }
  const fd = openSync(file, flags, 0o600);
  // The command locks the open file it shares with us; the lock stays ours when the command ends.
  const { status, stderr } = await runCommand('flock', ['-n', '3'], { inheritedFd: fd });
  if (status === 0) return fd;
  closeSync(fd);
  if (status === 1) return undefined;
  throw new EmbeddedPostgresError(`Cannot lock ${file} (flock, of the package util-linux): ${stderr.trim()}`);
};

/** Takes the lock if nobody has it; undefined when somebody does. */
export const tryDirectoryLock = async (file: string): Promise<DirectoryLock | undefined> => {
  const fd = await openLocked(file);
  if (fd === undefined) return undefined;
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`, 0);
  let open = true;
  return {
    fd,
    release: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
};

/** The process id in the first line of a file; undefined when there is none. */
export const readPid = (file: string): number | undefined => {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
};

/** Whether the process runs; one that has ended and waits to be reaped by its parent does not. */
export const processIsAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
};

/**
 * Takes the lock. While the holder's process lives this fails at once; when it is gone, its server is on the way down
 * (the supervisor sees to that) and this waits for it.
 *
 * @throws EmbeddedPostgresError when the lock is held by a live process, or still held at the deadline
 */
export const takeDirectoryLock = async (
  file: string,
  options: { readonly directory: string; readonly pidFile: string; readonly deadlineMs: number },
): Promise<DirectoryLock> => {
  const deadline = Date.now() + options.deadlineMs;
  for (;;) {
    const lock = await tryDirectoryLock(file);
    if (lock) return lock;
    const owner = readPid(file);
    const server = readPid(options.pidFile);
    if (owner !== undefined && processIsAlive(owner)) {
      throw new EmbeddedPostgresError(
        `The data directory ${options.directory} is already in use by process ${owner}` +
          (server === undefined ? '.' : ` (PostgreSQL server: process ${server}).`),
      );
    }
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        `The data directory ${options.directory} is already in use by process ${server ?? 'unknown'}: a PostgreSQL ` +
          'server that lost its owner and has not stopped.',
      );
    }
    await delay(POLL_INTERVAL_MS);
  }
};
