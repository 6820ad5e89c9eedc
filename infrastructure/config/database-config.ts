import {
  DEFAULT_SERVER,
  parseServerId,
  serverIdProblem,
  type ServerId,
} from '../../domain/databases/server.ts';
import { DatabaseUrl } from '../postgres/database-url.ts';
import type { Deadlines } from '../postgres/connection-options.ts';
import { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import { reportDriverVariables } from './driver-variables.ts';
import type { EnvironmentReader } from './environment-reader.ts';
import { readSecret } from './token-config.ts';
import { VARIABLES, type NameOf } from './variables.ts';

/**
 * A pool keeps up to `size` idle connections. Under load it opens up to `maxOverflow` more, and closes them after
 * use.
 */
export interface PoolConfig {
  readonly size: number;
  readonly maxOverflow: number;
}

/** One PostgreSQL server for results databases. */
export interface ServerConfig {
  readonly serverId: ServerId;
  readonly urls: ResultsUrlTemplate;
  /** The maximum of connections to results databases on this server, over all organizations and processes. */
  readonly connectionBudget: number;
}

export interface DatabaseConfig {
  readonly metadataUrl: DatabaseUrl;
  /** The metadata database without a pooler in between; the same object as `metadataUrl` where there is none. */
  readonly metadataAdminUrl: DatabaseUrl;
  /** The default server comes first, the others in the order of their names. */
  readonly servers: readonly [ServerConfig, ...ServerConfig[]];
  /** Characters. Longer ids would not fit into the database name of every server. */
  readonly maxOrganizationIdLength: number;
  readonly autoCreate: boolean;
  readonly metadataPool: PoolConfig;
  readonly organizationPool: PoolConfig;
  /** The maximum of pools in memory, with and without connections. */
  readonly maxPools: number;
  readonly acquireTimeoutMs: number;
  /** The maximum of one organization's requests that wait for a connection. The next one is refused at once. */
  readonly maxWaiting: number;
  readonly connectTimeoutMs: number;
  /** The server enforces these. */
  readonly deadlines: Deadlines;
  readonly idleTimeoutMs: number;
  readonly healthIntervalMs: number;
  /** A lease that is held longer counts as leaked, and its pool may be closed. */
  readonly leaseTimeoutMs: number;
  /** Null: all organizations share the template's login. `otherSecret` is set during a rotation (decision 0013). */
  readonly roles: { readonly secret: string; readonly otherSecret: string | null } | null;
  /** The number of prepared databases for new organizations. */
  readonly spares: { readonly min: number; readonly max: number };
  /** Migrations of existing results databases. */
  readonly migration: {
    /** The maximum of databases that are migrated at the same time. */
    readonly concurrency: number;
    readonly statementTimeoutMs: number;
    /** Limits the wait for one lock. Requests that need the table queue behind that wait. */
    readonly lockTimeoutMs: number;
  };
}

/** Null when a database's URL is missing or invalid. The reader then holds the problem. */
export const readDatabaseConfig = (reader: EnvironmentReader): DatabaseConfig | null => {
  const locations = readLocations(reader);
  const settings = {
    autoCreate: reader.boolean('DB_AUTO_CREATE_ORG_DBS'),
    metadataPool: readPool(reader, 'DB_POOL_SIZE', 'DB_MAX_OVERFLOW'),
    organizationPool: readPool(reader, 'DB_ORG_POOL_SIZE', 'DB_ORG_MAX_OVERFLOW'),
    maxPools: reader.integer('DB_MAX_POOLS'),
    acquireTimeoutMs: reader.integer('DB_ACQUIRE_TIMEOUT_MS'),
    maxWaiting: reader.integer('DB_ORG_MAX_WAITING'),
    connectTimeoutMs: reader.integer('DB_CONNECT_TIMEOUT_MS'),
    deadlines: {
      statementTimeoutMs: reader.integer('DB_STATEMENT_TIMEOUT_MS'),
      lockTimeoutMs: reader.integer('DB_LOCK_TIMEOUT_MS'),
      idleInTransactionTimeoutMs: reader.integer('DB_IDLE_IN_TRANSACTION_TIMEOUT_MS'),
    },
    idleTimeoutMs: reader.integer('DB_IDLE_TIMEOUT_MS'),
    healthIntervalMs: reader.integer('DB_HEALTH_INTERVAL_MS'),
    leaseTimeoutMs: reader.integer('DB_LEASE_TIMEOUT_MS'),
    roles: readRoles(reader),
    spares: readSpares(reader),
    migration: {
      concurrency: reader.integer('DB_MIGRATION_CONCURRENCY'),
      statementTimeoutMs: reader.integer('DB_MIGRATION_STATEMENT_TIMEOUT_MS'),
      lockTimeoutMs: reader.integer('DB_MIGRATION_LOCK_TIMEOUT_MS'),
    },
  };
  return locations === null ? null : { ...locations, ...settings };
};

type Locations = Pick<
  DatabaseConfig,
  'metadataUrl' | 'metadataAdminUrl' | 'servers' | 'maxOrganizationIdLength'
>;

const readLocations = (reader: EnvironmentReader): Locations | null => {
  const metadataUrl = readUrl(reader, METADATA);
  const given = readTemplate(reader, TEMPLATE);
  if (!reader.has(METADATA)) reader.missing(METADATA);
  const adminUrl = readUrl(reader, ADMIN);
  const connectionBudget = reader.integer(BUDGET);
  const others = readOtherServers(reader, connectionBudget);
  const metadataAdminUrl = readUrl(reader, ADMIN_OF_METADATA);
  if (metadataUrl === null) return null;
  const beside = ResultsUrlTemplate.fromMetadataUrl(metadataUrl);
  const urls = withAdmin(given ?? beside, adminUrl);
  // One server behind both URLs has one administrator's URL.
  const ofMetadata = metadataAdminUrl ?? (urls.isBeside(metadataUrl) ? adminUrl : null);
  const servers = [{ serverId: DEFAULT_SERVER, urls, connectionBudget }, ...others] as const;
  // Two different URLs can mean the same server, so the check covers every server.
  for (const server of servers) {
    if (!server.urls.names.collidesWith(metadataUrl.database)) continue;
    reader.refuse(
      METADATA,
      `the database ${JSON.stringify(metadataUrl.database)}`,
      `one that cannot be an organization's by ${variableOf(TEMPLATE, server.serverId)} (${server.urls.redacted})`,
    );
  }
  const lengths = servers.map((server) => server.urls.names.maxOrganizationIdLength);
  return {
    metadataUrl,
    metadataAdminUrl: ofMetadata?.withDatabase(metadataUrl.database) ?? metadataUrl,
    servers: [...servers],
    maxOrganizationIdLength: Math.min(...lengths),
  };
};

const METADATA = 'DB_DATABASE_URL';
const ADMIN = 'DB_ADMIN_URL';
const ADMIN_OF_METADATA = 'DB_ADMIN_URL_METADATA';
const TEMPLATE = 'DB_RESULTS_DB_TEMPLATE';
const BUDGET = 'DB_CONNECTION_BUDGET';

const variableOf = (base: string, serverId: ServerId): string =>
  serverId === DEFAULT_SERVER ? base : `${base}_${serverId.toUpperCase()}`;

/** Each `DB_RESULTS_DB_TEMPLATE_<NAME>` adds the server `<name>`. */
const readOtherServers = (reader: EnvironmentReader, defaultBudget: number): readonly ServerConfig[] => {
  const servers: ServerConfig[] = [];
  for (const variable of reader.namesWith(`${TEMPLATE}_`)) {
    const name = variable.slice(TEMPLATE.length + 1).toLowerCase();
    const problem = name === DEFAULT_SERVER ? `is ${TEMPLATE}` : serverIdProblem(name);
    if (problem !== null) {
      reader.refuse(
        variable,
        'a server',
        `the name of a server at its end: ${JSON.stringify(name)} ${problem}`,
      );
      continue;
    }
    const serverId = parseServerId(name);
    if (servers.some((server) => server.serverId === serverId)) {
      reader.refuse(variable, 'a server', `a name of its own: there is another "${serverId}"`);
      continue;
    }
    const suffix = variable.slice(TEMPLATE.length);
    const urls = readTemplate(reader, `${TEMPLATE}_<NAME>`, variable);
    const adminUrl = readUrl(reader, `${ADMIN}_<NAME>`, `${ADMIN}${suffix}`);
    const connectionBudget = reader.integer(`${BUDGET}_<NAME>`, {
      as: `${BUDGET}${suffix}`,
      fallback: defaultBudget,
    });
    if (urls !== null) servers.push({ serverId, urls: withAdmin(urls, adminUrl), connectionBudget });
  }
  refuseUnknownServers(reader, BUDGET, 'a budget');
  refuseUnknownServers(reader, ADMIN, 'a URL');
  return servers;
};

/** Refuses variables of a server whose template is not set: its name is misspelt. */
const refuseUnknownServers = (reader: EnvironmentReader, base: string, held: string): void => {
  for (const variable of reader.namesWith(`${base}_`)) {
    const server = `${TEMPLATE}${variable.slice(base.length)}`;
    if (reader.has(server) || variable === ADMIN_OF_METADATA) continue;
    reader.refuse(variable, held, `a server of the same name: ${server} is not set`);
  }
};

const withAdmin = (urls: ResultsUrlTemplate, adminUrl: DatabaseUrl | null): ResultsUrlTemplate =>
  adminUrl === null ? urls : urls.behindPooler(adminUrl);

/** @param as the variable that is read, for a name with `<NAME>` at its end */
const readUrl = (reader: EnvironmentReader, name: NameOf<'url'>, as: string = name): DatabaseUrl | null => {
  const url = reader.url(name, (text) => DatabaseUrl.parse(text), { as });
  if (url !== null) reportDriverVariables(reader, as, url);
  return url;
};

const readTemplate = (
  reader: EnvironmentReader,
  name: NameOf<'url'>,
  as: string = name,
): ResultsUrlTemplate | null => {
  const urls = reader.url(name, (text) => ResultsUrlTemplate.parse(text), { as });
  if (urls !== null) reportDriverVariables(reader, as, urls);
  return urls;
};

const readPool = (
  reader: EnvironmentReader,
  size: NameOf<'integer'>,
  maxOverflow: NameOf<'integer'>,
): PoolConfig => ({ size: reader.integer(size), maxOverflow: reader.integer(maxOverflow) });

const readRoles = (reader: EnvironmentReader): DatabaseConfig['roles'] => {
  const enabled = reader.boolean('DB_ORG_ROLES');
  const secret = readSecret(reader, 'DB_ROLE_SECRET');
  const otherSecret = readSecret(reader, 'DB_ROLE_SECRET_OTHER');
  if (enabled && !reader.has('DB_ROLE_SECRET')) reader.missing('DB_ROLE_SECRET');
  return enabled && secret !== null ? { secret, otherSecret } : null;
};

const readSpares = (reader: EnvironmentReader): DatabaseConfig['spares'] => {
  const min = reader.integer('DB_SPARES_MIN');
  // An unset maximum must not be below a minimum that is set.
  const max = reader.integer('DB_SPARES_MAX', { fallback: Math.max(min, VARIABLES.DB_SPARES_MAX.fallback) });
  if (max < min) reader.refuse('DB_SPARES_MAX', `"${max}"`, `at least DB_SPARES_MIN, which is ${min}`);
  return { min, max };
};
