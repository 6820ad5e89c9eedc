import type { DatabaseUrl } from '../postgres/database-url.ts';
import type { Environment, EnvironmentReader } from './environment-reader.ts';

/** Variables by which `psql` and the driver fill what a URL leaves open, and the parameter that each stands for. */
const DRIVER_VARIABLES = {
  PGHOST: 'host',
  PGPORT: 'port',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGOPTIONS: 'options',
  PGSSLMODE: 'sslmode',
  PGSSLNEGOTIATION: 'sslnegotiation',
  PGTARGETSESSIONATTRS: 'target_session_attrs',
  PGREQUIREAUTH: 'require_auth',
} as const;

/**
 * Reports variables that would change what a URL means to `psql`. The service takes a database's address from its URL
 * alone: a variable of somebody's shell must not weaken TLS, or lead to another server.
 *
 * @param variable the one that holds the URL
 */
export const reportDriverVariables = (
  reader: EnvironmentReader,
  variable: string,
  url: Pick<DatabaseUrl, 'leavesOpen'>,
): void => {
  for (const [name, parameter] of Object.entries(DRIVER_VARIABLES)) {
    if (reader.has(name) && url.leavesOpen(parameter))
      reader.conflict(name, `${variable} alone says where its database is: write ${parameter} into it`);
  }
};

/** For a server that this process itself has started, of which no variable can know anything. */
export const withoutDriverVariables = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !(name in DRIVER_VARIABLES)));
