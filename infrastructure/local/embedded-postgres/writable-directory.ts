import { access, constants, mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';

/**
 * Makes the folder unless it exists.
 *
 * @throws {EmbeddedPostgresError} when it cannot be made or written
 */
export const ensureWritableDirectory = async (directory: string): Promise<void> => {
  const path = resolve(directory);
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The folder ${path} for the data of the embedded PostgreSQL cannot be written (${await obstacle(path, error)}): ` +
        'start in a folder that can be, or set DB_DATABASE_URL.',
      { cause: error },
    );
  }
};

/** On a read-only file system `mkdir` says that a parent does not exist. The nearest one that does knows better. */
const obstacle = async (path: string, error: unknown): Promise<string> => {
  const refusal = await access(path, constants.W_OK).then(() => null, codeOf);
  if (refusal === 'ENOENT' && dirname(path) !== path) return obstacle(dirname(path), error);
  return refusal ?? codeOf(error);
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);
