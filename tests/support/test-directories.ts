import { access, chmod, constants, lstat, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataDirectoryAt } from '../../infrastructure/local/embedded-postgres/cluster.ts';
import {
  processIsAlive,
  tryDirectoryLock,
} from '../../infrastructure/local/embedded-postgres/directory-lock.ts';

const PREFIX = 'mad-test-postgres-';
/** Memory-backed, where creating a database costs a fraction of what it does on disk. */
const MEMORY = '/dev/shm';
/** Docker gives a container 64 MB of /dev/shm, which is less than one cluster needs. */
const MIN_FREE_BYTES = 2 * 1024 ** 3;

const memoryIsUsable = async (): Promise<boolean> => {
  try {
    await access(MEMORY, constants.W_OK);
    const { bavail, bsize } = await statfs(MEMORY);
    return bavail * bsize >= MIN_FREE_BYTES;
  } catch {
    return false;
  }
};

/** Makes a folder for a test cluster, named after this process; the user a server of root runs as can pass through. */
export const createTestDirectory = async (): Promise<string> => {
  const parent = (await memoryIsUsable()) ? MEMORY : tmpdir();
  const directory = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
  await chmod(directory, 0o711);
  return directory;
};

/** Whether its process is gone, and with it the server: that may still be on the way down, and then holds the lock. */
const isAbandoned = async (path: string, owner: number): Promise<boolean> => {
  const stats = await lstat(path);
  if (!stats.isDirectory() || stats.uid !== process.getuid?.() || processIsAlive(owner)) return false;
  const lock = await tryDirectoryLock(dataDirectoryAt(path).lock);
  lock?.release();
  return lock !== undefined;
};

/** Removes the clusters of test runs that were killed; those a live process or a live server uses stay. */
export const removeAbandonedTestDirectories = async (): Promise<void> => {
  for (const parent of new Set([MEMORY, tmpdir()])) {
    for (const name of await readdir(parent).catch(() => [])) {
      const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
      if (owner === undefined) continue;
      const path = join(parent, name);
      // Another test run may be removing it, too.
      if (await isAbandoned(path, Number(owner)).catch(() => false)) {
        await rm(path, { recursive: true, force: true }).catch(() => undefined);
      }
    }
  }
};
