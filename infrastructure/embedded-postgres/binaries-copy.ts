import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { restoreLinks } from './binaries-package.ts';
import type { BinariesPackage } from './binaries-package.ts';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import type { SystemUser } from './run-command.ts';
import { canEnter } from './server-user.ts';

/** A half-made copy this old was left by a process that died. */
const ABANDONED_AFTER_MS = 10 * 60_000;

/** Copies a tree so that everybody can read and run it and only its owner can change it, whatever modes it had. */
const copyReadable = async (source: string, target: string): Promise<void> => {
  const stats = await lstat(source);
  if (stats.isSymbolicLink()) return symlink(await readlink(source), target);
  if (stats.isDirectory()) {
    await mkdir(target);
    for (const name of await readdir(source)) await copyReadable(join(source, name), join(target, name));
    return chmod(target, 0o755);
  }
  await copyFile(source, target);
  return chmod(target, stats.mode & 0o100 ? 0o755 : 0o644);
};

/** The regular files below a folder with their sizes: what a cleaner of old temporary files would have thinned out. */
const contents = async (directory: string): Promise<string> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = files.map(async (file) => `${file.slice(directory.length)} ${(await lstat(file)).size}`);
  return (await Promise.all(lines)).toSorted().join('\n');
};

/**
 * Whether the cache is there and whole.
 *
 * @throws EmbeddedPostgresError when it is not ours alone: root would run what somebody else put there
 */
const cacheIsComplete = async (cache: string, source: BinariesPackage): Promise<boolean> => {
  const stats = await lstat(cache).catch(() => undefined);
  if (!stats) return false;
  if (!stats.isDirectory() || stats.uid !== process.getuid?.() || (stats.mode & 0o022) !== 0) {
    throw new EmbeddedPostgresError(
      `${cache} is not trusted as the copy of the PostgreSQL binaries, because it is not a folder that this user ` +
        'alone owns and may write: remove it.',
    );
  }
  const [expected, found] = await Promise.all([
    contents(join(source.directory, 'native')),
    contents(join(cache, 'native')).catch(() => ''),
  ]);
  return found === expected;
};

const removeAbandonedCopies = async (cache: string): Promise<void> => {
  for (const name of await readdir(dirname(cache))) {
    if (!name.startsWith(`${basename(cache)}.`)) continue;
    const path = join(dirname(cache), name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.uid !== process.getuid?.() || Date.now() - (stats?.mtimeMs ?? 0) < ABANDONED_AFTER_MS)
      continue;
    await rm(path, { recursive: true, force: true });
  }
};

const findCacheParent = async (user: SystemUser | undefined): Promise<string> => {
  for (const directory of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    if (await canEnter(user, directory)) return directory;
  }
  throw new EmbeddedPostgresError(
    `The PostgreSQL binaries need a copy that user ${user?.uid} can read, and it can enter none of ` +
      `${tmpdir()}, /tmp and /var/tmp.`,
  );
};

/**
 * A copy of the package that the server's user can read and only we can write, in the folder for temporary files,
 * one a version and owner. It appears whole or not at all; several processes may ask for it at once.
 *
 * @returns the copy's folder, laid out like the package
 * @throws EmbeddedPostgresError when somebody else made the folder, or there is no place the user can read
 */
export const copyBinaries = async (
  source: BinariesPackage,
  user: SystemUser | undefined,
): Promise<string> => {
  const name = `mad-embedded-postgres-${source.version}-${process.getuid?.()}`;
  const cache = join(await findCacheParent(user), name);
  if (await cacheIsComplete(cache, source)) return cache;
  await removeAbandonedCopies(cache);
  const copy = await mkdtemp(`${cache}.`);
  try {
    await copyReadable(join(source.directory, 'native'), join(copy, 'native'));
    await restoreLinks(copy);
    await chmod(copy, 0o755);
    // What stands there is incomplete. It moves aside first, for a folder cannot replace one with files in it.
    await rename(cache, `${copy}.old`).catch(() => undefined);
    await rename(copy, cache);
  } catch (error) {
    if (!(await cacheIsComplete(cache, source))) throw error; // otherwise another process was faster
  } finally {
    await rm(copy, { recursive: true, force: true });
    await rm(`${copy}.old`, { recursive: true, force: true });
  }
  return cache;
};
