import { readdir, readFile, stat } from 'node:fs/promises';

/**
 * Ends what is left of a PostgreSQL server that was killed: a session that computes, or waits for a lock of one that is gone,
 * does not see that its server has ended, and no other server can start meanwhile. Nobody else uses their shared memory, and
 * the next start recovers what they had committed. Linux only: elsewhere nothing is found.
 *
 * @param isStillDead asked when they are found: another process may have started a server there
 */
export const endOrphanSessions = async (cluster: string, isStillDead: () => boolean): Promise<void> => {
  const pids = await sessionsIn(cluster);
  if (!isStillDead()) return;
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, or belongs to a user whose processes this one may not end.
    }
  }
};

const sessionsIn = async (cluster: string): Promise<readonly number[]> => {
  const names = await readdir('/proc').catch(() => []);
  const folder = await identityOf(cluster);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => isSessionIn(pid, folder)));
  return pids.filter((_, index) => found[index]);
};

/** All processes of a server work in its cluster's folder; a shell of somebody who looks at it may, too. */
const isSessionIn = async (pid: number, folder: string | undefined): Promise<boolean> => {
  const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return (
    command.trim() === 'postgres' && folder !== undefined && (await identityOf(`/proc/${pid}/cwd`)) === folder
  );
};

/** A path would not do: a container's process may have the same path, and work in a folder of the container. */
const identityOf = async (folder: string): Promise<string | undefined> => {
  const found = await stat(folder, { bigint: true }).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
};
