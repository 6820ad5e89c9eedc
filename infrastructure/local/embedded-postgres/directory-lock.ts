import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataDirectory } from './cluster.ts';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { endOrphanSessions } from './orphan-sessions.ts';
import { runCommand } from './run-command.ts';

/**
 * A kernel lock (flock) on a file. Every process that inherits `fd` shares the lock; the kernel frees it when the
 * last one ends. The server inherits it, so it shows whether a server runs. A process id could be stale.
 */
export interface DirectoryLock {
  readonly fd: number;
  /** Closes this process's file descriptor. Safe to call twice. */
  release(): void;
}

const POLL_INTERVAL_MS = 50;
/** A session that sees the end of its server ends within this time. */
const ORPHAN_GRACE_MS = 500;
/** On macOS, which has no flock command, `open` takes the lock with this flag. Node has no constant for it. */
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
  // The command locks the open file that it shares with this process. The lock remains when the command ends.
  const { status, stderr } = await runCommand('flock', ['-n', '3'], { inheritedFd: fd });
  if (status === 0) return fd;
  closeSync(fd);
  if (status === 1) return undefined;
  throw new EmbeddedPostgresError(`Cannot lock ${file} (flock, of the package util-linux): ${stderr.trim()}`);
};

/** Takes the lock; undefined when another process holds it. */
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

/** Reads the process id in the first line of a file; undefined when there is none. */
export const readPid = (file: string): number | undefined => {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
};

/** Whether the process runs. A zombie, which has ended but was not reaped by its parent, does not. */
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
 * Takes the lock. Fails at once while the process that took it is alive, and its server runs or is being started. When
 * that process has ended, its supervisor stops the server. When only the server has ended, by a signal, its sessions
 * end by themselves; a busy one is ended. This function waits for both until the deadline.
 *
 * @throws {EmbeddedPostgresError} when a live process holds the lock, or the server still holds it at the deadline
 */
export const takeDirectoryLock = async (
  file: string,
  options: Pick<DataDirectory, 'root' | 'cluster' | 'pidFile'> & { readonly deadlineMs: number },
): Promise<DirectoryLock> => {
  const { root, cluster, pidFile } = options;
  const from = Date.now();
  const deadline = from + options.deadlineMs;
  for (;;) {
    const lock = await tryDirectoryLock(file);
    if (lock) return lock;
    const owner = readPid(file);
    const server = readPid(pidFile);
    const serverHasEnded = server !== undefined && !processIsAlive(server);
    if (owner !== undefined && processIsAlive(owner) && !serverHasEnded) {
      throw new EmbeddedPostgresError(
        `The data directory ${root} is already in use by process ${owner}` +
          (server === undefined ? '.' : ` (PostgreSQL server: process ${server}).`),
      );
    }
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        `The data directory ${root} is still in use by ` +
          (serverHasEnded
            ? `sessions of a PostgreSQL server that has ended (process ${server}).`
            : `process ${server ?? 'unknown'}: a PostgreSQL server that lost its owner and has not stopped.`),
      );
    }
    if (serverHasEnded && Date.now() > from + ORPHAN_GRACE_MS)
      await endOrphanSessions(cluster, () => readPid(file) === owner && readPid(pidFile) === server);
    await delay(POLL_INTERVAL_MS);
  }
};
