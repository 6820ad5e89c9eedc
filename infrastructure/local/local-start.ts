import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { ConnectionName } from '../postgres/connection-names.ts';
import { DatabaseUrl } from '../postgres/database-url.ts';
import { closeToPublic } from '../postgres/new-database.ts';
import { PgConnection } from '../postgres/pg-connection.ts';
import { startEmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts';
import { RestartingPostgres } from './embedded-postgres/restarting-postgres.ts';
import type { Environment } from '../config/environment-reader.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** The folder of the embedded server's data and secrets, relative to the working directory. */
export const LOCAL_DATA = '.data';

export interface LocalStart {
  readonly environment: Environment;
  /** Whether this process started an embedded server. */
  readonly embedded: boolean;
  /** From this call on, the embedded server is restarted when it ends unexpectedly. */
  keep(logger: Logger): void;
  stop(): Promise<void>;
}

/** The result's other fields when this process runs no embedded server. */
export const NO_SERVER: Omit<LocalStart, 'environment'> = {
  embedded: false,
  keep: () => undefined,
  stop: () => Promise.resolve(),
};

/**
 * Starts an embedded PostgreSQL server when `DB_DATABASE_URL` is not set, and adds the settings for it to the
 * environment. Its data and secrets persist between runs. It defaults to one role per organization. Variables that
 * are set win.
 *
 * @throws {EmbeddedPostgresError} when the server cannot be started
 */
export const prepareLocalStart = async (environment: Environment): Promise<LocalStart> => {
  if (environment['DB_DATABASE_URL'] !== undefined && environment['DB_DATABASE_URL'] !== '') {
    return { environment, ...NO_SERVER };
  }
  const dataDirectory = join(LOCAL_DATA, 'postgres');
  const server = await startEmbeddedPostgres({ dataDirectory });
  await closeServerDatabases(server.url).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  let restarting: RestartingPostgres | null = null;
  return {
    environment: { ...(await localDefaults(server.url)), ...withoutEmpty(environment) },
    embedded: true,
    keep: (logger) => {
      restarting ??= new RestartingPostgres(server, dataDirectory, logger);
    },
    stop: () => (restarting ?? server).stop(),
  };
};

/** The server is this service's alone, so nobody else has business in its databases: organizations' roles are PUBLIC, too. */
const closeServerDatabases = async (serverUrl: string): Promise<void> => {
  const connection = await PgConnection.open({
    url: DatabaseUrl.parse(`${serverUrl}?sslmode=disable`),
    applicationName: ConnectionName.embeddedStart,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  });
  try {
    await connection.execute(['postgres', 'template1'].map(closeToPublic).join(';'));
  } finally {
    await connection.close();
  }
};

/** The settings for an embedded server with this URL. Creates the secrets at the first call. */
export const localDefaults = async (serverUrl: string): Promise<Environment> => {
  const url = new URL(serverUrl);
  url.pathname = '/mad';
  const secrets = await readSecrets(join(LOCAL_DATA, 'secrets.json'));
  return { DB_DATABASE_URL: url.href, DB_ORG_ROLES: 'true', ...secrets };
};

/** Removes empty variables, which count as not set. */
export const withoutEmpty = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));

/** Creates the secrets at the first start. Later starts read the same ones, so that tokens and logins stay valid. */
const readSecrets = async (file: string): Promise<Environment> => {
  try {
    const secrets: Environment = JSON.parse(await readFile(file, 'utf8'));
    return secrets;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const secrets = { JWT_SECRET: newSecret(), DB_ROLE_SECRET: newSecret() };
  await mkdir(LOCAL_DATA, { recursive: true });
  // Write and rename: a crash must not leave a half-written file.
  await writeFile(`${file}.new`, JSON.stringify(secrets), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return secrets;
};

const newSecret = (): string => randomBytes(32).toString('base64url');
