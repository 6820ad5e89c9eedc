import { join } from 'node:path';
import { copyBinaries } from './binaries-copy.ts';
import { findBinariesPackage, restoreLinks } from './binaries-package.ts';
import type { BinariesPackage } from './binaries-package.ts';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { isPlainPath, runCommand } from './run-command.ts';
import type { SystemUser } from './run-command.ts';

const PROBE =
  '"$0/bin/postgres" --version && "$0/bin/initdb" --version && cat "$0/share/postgresql/postgres.bki"';

/** Returns why the user cannot run these binaries; undefined when it can. */
const probe = async (native: string, user: SystemUser | undefined): Promise<string | undefined> => {
  const { status, stderr } = await runCommand('/bin/sh', ['-c', `${PROBE} >/dev/null`, native], { user });
  return status === 0 ? undefined : stderr.trim();
};

/**
 * Returns a folder with `bin`, `lib` and `share` of a PostgreSQL that the user can run. That is the installed
 * package, or a copy of it when its links cannot be made (a read-only node_modules), the user cannot enter its folder (a
 * checkout in /root), or its path holds characters that initdb cannot handle.
 *
 * @param installedPackage by default that of this platform
 * @throws {EmbeddedPostgresError} when the platform has no package, or the binaries do not run
 */
export const prepareBinaries = async (
  user: SystemUser | undefined,
  installedPackage: BinariesPackage | null = null,
): Promise<string> => {
  const installed = installedPackage ?? (await findBinariesPackage());
  const linked = await restoreLinks(installed.directory).then(
    () => true,
    () => false,
  );
  const native = join(installed.directory, 'native');
  if (linked && isPlainPath(native) && (await probe(native, user)) === undefined) return native;
  const copy = join(await copyBinaries(installed, user), 'native');
  const problem = await probe(copy, user);
  if (problem === undefined) return copy;
  throw new EmbeddedPostgresError(`The embedded PostgreSQL in ${copy} does not run: ${problem}`);
};
