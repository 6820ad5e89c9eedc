import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { startEmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts';
import { KeptPostgres } from './embedded-postgres/kept-postgres.ts';
import type { Environment } from '../config/environment-reader.ts';

/** Where the embedded server and its secrets live, under the working directory. */
export const LOCAL_DATA = '.data';

export interface LocalStart {
  readonly environment: Environment;
  /** Whether this process runs the database server. */
  readonly embedded: boolean;
  /** From now on the database server of this process is started again when it ends by itself. */
  keep(logger: Logger): void;
  stop(): Promise<void>;
}

/** Of a process that runs no database server. */
export const NO_SERVER: Omit<LocalStart, 'environment'> = {
  embedded: false,
  keep: () => undefined,
  stop: () => Promise.resolve(),
};

/**
 * Supplies what a bare machine lacks: without `DB_DATABASE_URL` a PostgreSQL server of its own, with data and secrets
 * that last between runs. A role per organization is the default there. Everything set explicitly stays as it is.
 */
export const prepareLocalStart = async (environment: Environment): Promise<LocalStart> => {
  if (environment['DB_DATABASE_URL'] !== undefined && environment['DB_DATABASE_URL'] !== '') {
    return { environment, ...NO_SERVER };
  }
  const dataDirectory = join(LOCAL_DATA, 'postgres');
  const server = await startEmbeddedPostgres({ dataDirectory });
  let kept: KeptPostgres | null = null;
  return {
    environment: { ...(await localDefaults(server.url)), ...withoutEmpty(environment) },
    embedded: true,
    keep: (logger) => {
      kept ??= new KeptPostgres(server, dataDirectory, logger);
    },
    stop: () => (kept ?? server).stop(),
  };
};

/** What the embedded start supplies, given the URL of its server. */
export const localDefaults = async (serverUrl: string): Promise<Environment> => {
  const url = new URL(serverUrl);
  url.pathname = '/mad';
  const secrets = await readSecrets(join(LOCAL_DATA, 'secrets.json'));
  return { DB_DATABASE_URL: url.href, DB_ORG_ROLES: 'true', ...secrets };
};

/** An empty variable counts as one that is not set. */
export const withoutEmpty = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));

/** Made at the first start; the same ever after, so that tokens and logins stay valid. */
const readSecrets = async (file: string): Promise<Environment> => {
  try {
    const secrets: Environment = JSON.parse(await readFile(file, 'utf8'));
    return secrets;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const secrets = { JWT_SECRET: newSecret(), DB_ROLE_SECRET: newSecret() };
  await mkdir(LOCAL_DATA, { recursive: true });
  // Renamed into place: a crash leaves no half-written secrets.
  await writeFile(`${file}.new`, JSON.stringify(secrets), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return secrets;
};

const newSecret = (): string => randomBytes(32).toString('base64url');
