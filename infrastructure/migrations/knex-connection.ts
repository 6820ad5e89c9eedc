import type { Knex } from 'knex';
import { applicationNameOf } from '../postgres/connection-names.ts';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import { PgConnection } from '../postgres/pg-connection.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Returns Knex's `connection` settings for the usable server of the URL. Rejects as `PgConnection.locate` does. */
export const toKnexConnection = async (
  url: DatabaseUrl,
  applicationName: string,
): Promise<Knex.PgConnectionConfig> => {
  const server = await PgConnection.locate({ url, applicationName, connectTimeoutMs: CONNECT_TIMEOUT_MS });
  // Knex passes this to `pg.Client` unchanged. Its own type only differs in optional fields that may be undefined.
  return {
    ...server,
    application_name: applicationNameOf(server.application_name, applicationName),
  } as Knex.PgConnectionConfig;
};
