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

type Remains =
  /** Its process lives, or it is somebody else's. */
  | 'in use'
  /** Its process is gone, and its server is on the way down: that still holds the lock. */
  | 'stopping'
  | 'abandoned';

const remainsOf = async (path: string, owner: number): Promise<Remains> => {
  const stats = await lstat(path);
  if (!stats.isDirectory() || stats.uid !== process.getuid?.() || processIsAlive(owner)) return 'in use';
  const lock = await tryDirectoryLock(dataDirectoryAt(path).lock);
  lock?.release();
  return lock === undefined ? 'stopping' : 'abandoned';
};

/**
 * Removes the clusters of processes that are gone; those a live process or a live server uses stay.
 *
 * @returns how many servers of processes that are gone are still on the way down
 */
export const removeAbandonedTestDirectories = async (): Promise<number> => {
  let stopping = 0;
  for (const parent of new Set([MEMORY, tmpdir()])) {
    for (const name of await readdir(parent).catch(() => [])) {
      const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
      if (owner === undefined) continue;
      const path = join(parent, name);
      // Another test run may be removing it, too.
      const remains = await remainsOf(path, Number(owner)).catch(() => 'in use' as const);
      if (remains === 'stopping') stopping += 1;
      if (remains === 'abandoned') await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }
  return stopping;
};
