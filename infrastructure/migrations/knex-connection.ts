import type { Knex } from 'knex';
import { applicationNameOf } from '../postgres/connection-names.ts';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import { PgConnection } from '../postgres/pg-connection.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** What Knex's `connection` takes, for the server of the URL that can be used now. Rejects when there is none. */
export const toKnexConnection = async (
  url: DatabaseUrl,
  applicationName: string,
): Promise<Knex.PgConnectionConfig> => {
  const server = await PgConnection.locate({ url, applicationName, connectTimeoutMs: CONNECT_TIMEOUT_MS });
  // Knex hands it to `pg.Client` as it is; its own type does not know optional fields that may be undefined.
  return {
    ...server,
    application_name: applicationNameOf(server.application_name, applicationName),
  } as Knex.PgConnectionConfig;
};
