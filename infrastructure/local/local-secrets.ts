import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../config/environment-reader.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { EmbeddedPostgresError } from './embedded-postgres/embedded-postgres-error.ts';
import { ensureWritableDirectory } from './embedded-postgres/writable-directory.ts';

const secret = z.string().min(32);

const fileSchema = z.object({
  JWT_SECRET: secret,
  DB_ROLE_SECRET: secret,
  /** The secrets were made anew, and organizations' roles have yet to get their passwords from them. */
  roles_pending: z.boolean().optional(),
});

type SecretsFile = z.infer<typeof fileSchema>;

export interface LocalSecrets {
  readonly variables: Environment;
  /** Set when organizations' roles still have passwords from secrets that were lost. */
  readonly rotation: LocalRotation | null;
}

export interface LocalRotation {
  /** Call it when all roles have new passwords. */
  done(): Promise<void>;
}

/**
 * Reads the secrets of the embedded start. The first start makes them; later ones read the same, so that tokens and logins
 * stay valid. Lost ones are made anew.
 *
 * @param directory holds the file and the cluster's folder `postgres`
 * @throws {EmbeddedPostgresError} when the file is damaged, or cannot be read or written
 */
export const readLocalSecrets = async (directory: string): Promise<LocalSecrets> => {
  const file = resolve(directory, 'secrets.json');
  const known = await read(file);
  const secrets = known ?? (await readMade(directory, file));
  const { roles_pending: isPending = false, ...variables } = secrets;
  return { variables, rotation: isPending ? { done: () => write(file, variables) } : null };
};

/**
 * As `readLocalSecrets`, for a process that may not make secrets anew, because it gives no role a new password.
 *
 * @throws {EmbeddedPostgresError} also when there is no file
 */
export const readExistingSecrets = async (directory: string): Promise<Environment> => {
  if (existsSync(join(directory, 'secrets.json'))) return (await readLocalSecrets(directory)).variables;
  throw new EmbeddedPostgresError(
    `${resolve(directory, 'secrets.json')} is missing: stop the service and start it again, and it makes new secrets.`,
  );
};

/** Makes the file and reads it. Of several processes that start here at the same time, one makes it. */
const readMade = async (directory: string, file: string): Promise<SecretsFile> => {
  const made = makeSecrets({ rolesPending: existsSync(join(directory, 'postgres', 'cluster')) });
  await ensureWritableDirectory(directory);
  const own = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(own, JSON.stringify(made), { mode: 0o600 });
  try {
    // Unlike a rename, this fails when the file is there already. Not every file system has it.
    await link(own, file).catch(async (error: unknown) => {
      if (!hasCode(error, 'EEXIST')) await rename(own, file);
    });
  } finally {
    await rm(own, { force: true });
  }
  return (await read(file)) ?? made;
};

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const makeSecrets = ({ rolesPending }: { readonly rolesPending: boolean }): SecretsFile => ({
  JWT_SECRET: randomBytes(32).toString('base64url'),
  DB_ROLE_SECRET: randomBytes(32).toString('base64url'),
  ...(rolesPending && { roles_pending: true }),
});

/** Null when there is no file. */
const read = async (file: string): Promise<SecretsFile | null> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw new EmbeddedPostgresError(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const parsed = fileSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new EmbeddedPostgresError(
    `${file} is damaged: put a copy of it back, or remove it. Then the next start makes new secrets, gives the ` +
      "organizations' roles new passwords, and tokens that were issued before are refused.",
  );
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Writes and renames: a crash must not leave a half-written file. */
const write = async (file: string, secrets: SecretsFile): Promise<void> => {
  await writeFile(`${file}.new`, JSON.stringify(secrets), { mode: 0o600 });
  await rename(`${file}.new`, file);
};
