import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { withoutDriverVariables } from '../config/driver-variables.ts';
import type { Environment } from '../config/environment-reader.ts';
import { ConnectionName } from '../postgres/connection-names.ts';
import { DatabaseUrl } from '../postgres/database-url.ts';
import { ensureDatabase } from '../postgres/ensure-database.ts';
import { closeToPublic } from '../postgres/new-database.ts';
import { PgConnection } from '../postgres/pg-connection.ts';
import { startEmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts';
import { RestartingPostgres } from './embedded-postgres/restarting-postgres.ts';
import { readLocalSecrets, type LocalRotation } from './local-secrets.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** The folder of the embedded server's data and secrets, relative to the working directory. */
export const LOCAL_DATA = '.data';

export interface LocalStart {
  readonly environment: Environment;
  /** Null when this process runs no embedded server. */
  readonly embedded: EmbeddedStart | null;
  stop(): Promise<void>;
}

export interface EmbeddedStart {
  /** Null unless the secrets were lost and made anew: then organizations' roles need new passwords. */
  readonly rotation: LocalRotation | null;
  /** From this call on, the embedded server is restarted when it ends unexpectedly. */
  keep(logger: Logger): void;
}

/** The result's other fields when this process runs no embedded server. */
export const NO_SERVER: Omit<LocalStart, 'environment'> = {
  embedded: null,
  stop: () => Promise.resolve(),
};

/**
 * Starts an embedded PostgreSQL server when `DB_DATABASE_URL` is not set, and adds the settings for it to the
 * environment. Its data and secrets persist between runs. It defaults to one role per organization. Variables that
 * are set win.
 *
 * @param logger hears what is done that takes seconds; null: nobody does
 * @throws {EmbeddedPostgresError} when the server cannot be started, or the secrets cannot be read
 */
export const prepareLocalStart = async (
  environment: Environment,
  logger: Logger | null = null,
): Promise<LocalStart> => {
  if (!isLocal(environment)) return { environment, ...NO_SERVER };
  const dataDirectory = join(LOCAL_DATA, 'postgres');
  const { variables, rotation } = await readLocalSecrets(LOCAL_DATA);
  const isFirst = !existsSync(join(dataDirectory, 'cluster'));
  logger?.write(isFirst ? 'embedded_server.initializing' : 'embedded_server.starting', {
    data: resolve(LOCAL_DATA),
  });
  const server = await startEmbeddedPostgres({ dataDirectory });
  const settings = localSettings(server.url, variables);
  let restarting: RestartingPostgres | null = null;
  const stop = (): Promise<void> => (restarting ?? server).stop();
  try {
    await closeServerDatabases(server.url);
    await ensureDatabase(DatabaseUrl.parse(settings['DB_DATABASE_URL'] ?? ''));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    environment: { ...settings, ...withoutDriverVariables(withoutEmpty(environment)) },
    embedded: {
      rotation,
      keep: (log) => {
        restarting ??= new RestartingPostgres(server, dataDirectory, log);
      },
    },
    stop,
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

/** Whether a start with this environment runs an embedded server. */
const isLocal = ({ DB_DATABASE_URL: url }: Environment): boolean => url === undefined || url === '';

/**
 * The environment of the start to come, with stand-ins for what only that start knows: so that mistakes in the
 * configuration are found before anything is started.
 */
export const expectedEnvironment = (environment: Environment): Environment => {
  if (!isLocal(environment)) return environment;
  const unknown = 'x'.repeat(32);
  const secrets = { JWT_SECRET: unknown, DB_ROLE_SECRET: unknown };
  return { ...localSettings('postgres://127.0.0.1', secrets), ...withoutEmpty(environment) };
};

/** The settings for an embedded server with this URL. */
export const localSettings = (serverUrl: string, secrets: Environment): Environment => {
  const url = new URL(serverUrl);
  url.pathname = '/mad';
  return { DB_DATABASE_URL: url.href, DB_ORG_ROLES: 'true', ...secrets };
};

/** Removes empty variables, which count as not set. */
export const withoutEmpty = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
