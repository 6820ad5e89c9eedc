import { randomBytes } from 'node:crypto';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, rename, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreLinks } from './binaries-package.ts';
import type { BinariesPackage } from './binaries-package.ts';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { isPlainPath } from './run-command.ts';
import type { SystemUser } from './run-command.ts';
import { canEnter } from './server-user.ts';

const unlessItExists = (error: unknown): void => {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
};

/**
 * Adds the missing files to a copy of a tree. Everybody can read and run the copy; only its owner can change it. Each
 * file is written under another name and renamed, so several processes can do this at the same time. A later call
 * completes a copy that a killed process left, or that lost files to a cleaner of temporary folders.
 */
const completeCopy = async (source: string, target: string): Promise<void> => {
  const stats = await lstat(source);
  if (stats.isSymbolicLink()) {
    await symlink(await readlink(source), target).catch(unlessItExists);
  } else if (stats.isDirectory()) {
    await mkdir(target).catch(unlessItExists);
    await chmod(target, 0o755);
    for (const name of await readdir(source)) await completeCopy(join(source, name), join(target, name));
  } else {
    const present = await lstat(target).catch(() => undefined);
    if (present?.size === stats.size) return;
    const whole = `${target}.${randomBytes(6).toString('hex')}`;
    await copyFile(source, whole);
    await chmod(whole, stats.mode & 0o100 ? 0o755 : 0o644);
    await rename(whole, target);
  }
};

const findCacheParent = async (user: SystemUser | undefined): Promise<string> => {
  for (const directory of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    if (isPlainPath(directory) && (await canEnter(user, directory))) return directory;
  }
  throw new EmbeddedPostgresError(
    `The PostgreSQL binaries need a copy that ${user === undefined ? 'this user' : `user ${user.uid}`} can read, and it can enter none of ` +
      `${tmpdir()}, /tmp and /var/tmp.`,
  );
};

/**
 * Copies the package into a temporary folder that the server's user can read and only this process's user can write.
 * There is one copy for each version and owner. Safe to call from several processes at once.
 *
 * @returns the copy's folder, with the same layout as the package
 * @throws {EmbeddedPostgresError} when the folder belongs to another user or is writable for others, or when the
 *   server's user can enter no temporary folder
 */
export const copyBinaries = async (
  source: BinariesPackage,
  user: SystemUser | undefined,
): Promise<string> => {
  const name = `mad-embedded-postgres-${source.version}-${process.getuid?.()}`;
  const cache = join(await findCacheParent(user), name);
  await mkdir(cache, { mode: 0o755 }).catch(unlessItExists);
  const stats = await lstat(cache);
  // A user who can write here could replace the programs that root's server runs.
  if (!stats.isDirectory() || stats.uid !== process.getuid?.() || (stats.mode & 0o022) !== 0) {
    throw new EmbeddedPostgresError(
      `${cache} is not trusted as the copy of the PostgreSQL binaries, because it is not a folder that this user ` +
        'alone owns and may write: remove it.',
    );
  }
  await chmod(cache, 0o755);
  await completeCopy(join(source.directory, 'native'), join(cache, 'native'));
  await restoreLinks(cache);
  return cache;
};
