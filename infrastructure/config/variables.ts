import { COST_VARIABLES } from './cost-variables.ts';
import { FILE_VARIABLES } from './file-variables.ts';
import { TRACING_VARIABLES } from './tracing-variables.ts';
import {
  flag,
  LOG_LEVELS,
  milliseconds,
  MILLION,
  MODES,
  number,
  secret,
  text,
  url,
  type Variable,
} from './variable.ts';
import { WORKER_VARIABLES } from './worker-variables.ts';

const MAX_SPARES = 1000;
const CLAIM_TAKES = '1 to 255 printable characters';
const SERVER_URL_TAKES = 'postgresql://user:password@host:5432/database';
const TEMPLATE_TAKES = 'such a URL with {org_id} once, in its database name, such as mad_results_{org_id}';

/**
 * Every variable of the configuration. This table is read by the configuration itself, by the check for names that nobody
 * reads, and by the pages `.env.example` and `docs/configuration.md` (`npm run configuration` writes them). A name with
 * `<NAME>` at its end stands for one variable for each server.
 */
export const VARIABLES = {
  DB_DATABASE_URL: url(
    SERVER_URL_TAKES,
    'postgresql://mad:password@localhost:5432/mad',
    'The metadata database; unset: an embedded PostgreSQL server with its data in `.data/`. A primary and its standbys, here and in the templates: `postgresql://mad:password@a:5432,b:5432/mad?target_session_attrs=read-write`',
  ),
  DB_RESULTS_DB_TEMPLATE: url(
    TEMPLATE_TAKES,
    'postgresql://mad:password@localhost:5432/mad_results_{org_id}',
    'Where results databases are and what they are called; unset: `mad_results_{org_id}` beside the metadata database',
  ),
  'DB_RESULTS_DB_TEMPLATE_<NAME>': url(
    TEMPLATE_TAKES,
    'postgresql://mad:password@eu.example:5432/mad_results_{org_id}',
    'Adds the server `<name>` for results databases: `docs/servers.md`',
  ),
  DB_ADMIN_URL: url(
    SERVER_URL_TAKES,
    'postgresql://mad:password@localhost:5432/postgres',
    'The server itself, where `DB_RESULTS_DB_TEMPLATE` leads to a connection pooler: `docs/poolers.md`',
  ),
  DB_ADMIN_URL_METADATA: url(
    SERVER_URL_TAKES,
    'postgresql://mad:password@localhost:5432/postgres',
    'The same for `DB_DATABASE_URL`; unset: `DB_ADMIN_URL`, if it is the same server',
  ),
  'DB_ADMIN_URL_<NAME>': url(
    SERVER_URL_TAKES,
    'postgresql://mad:password@eu.example:5432/postgres',
    'The same for the server `<name>`',
  ),
  DB_CONNECTION_BUDGET: number(
    'connections',
    80,
    { min: 1 },
    'Most connections to results databases on one server, of all organizations and all processes of the deployment together',
  ),
  'DB_CONNECTION_BUDGET_<NAME>': number(
    'connections',
    80,
    { min: 1 },
    'The same for the server `<name>`; unset: `DB_CONNECTION_BUDGET`',
  ),
  DB_POOL_SIZE: number(
    'connections',
    20,
    { min: 1 },
    'Connections of the metadata pool that are kept when idle',
  ),
  DB_MAX_OVERFLOW: number(
    'connections',
    30,
    { min: 0 },
    'Connections of the metadata pool above these, closed when they are returned',
  ),
  DB_ORG_POOL_SIZE: number(
    'connections',
    5,
    { min: 1 },
    "Connections of an organization's pool that are kept when idle",
  ),
  DB_ORG_MAX_OVERFLOW: number(
    'connections',
    10,
    { min: 0 },
    "Connections of an organization's pool above these, closed when they are returned",
  ),
  DB_ORG_MAX_WAITING: number(
    'connections',
    200,
    { min: 0, max: MILLION },
    'Requests of one organization that may wait for a connection; the next one gets 429',
  ),
  DB_MAX_POOLS: number(
    'connections',
    1000,
    { min: 1, max: MILLION },
    'Most pools in memory, with and without connections',
  ),
  DB_ACQUIRE_TIMEOUT_MS: milliseconds(5000, 'Longest wait of a request for a connection'),
  DB_CONNECT_TIMEOUT_MS: milliseconds(
    3000,
    'Longest login, over all hosts of a URL; also the longest answer that the feed of metadata changes waits for',
  ),
  DB_STATEMENT_TIMEOUT_MS: milliseconds(
    30_000,
    "Longest statement; an organization's settings may override it",
  ),
  DB_LOCK_TIMEOUT_MS: milliseconds(
    10_000,
    "Longest wait for a lock; an organization's settings may override it",
  ),
  DB_IDLE_IN_TRANSACTION_TIMEOUT_MS: milliseconds(
    10_000,
    "Longest pause within a transaction; an organization's settings may override it",
  ),
  DB_IDLE_TIMEOUT_MS: milliseconds(60_000, 'Idle connections and pools are closed after this time'),
  DB_HEALTH_INTERVAL_MS: milliseconds(30_000, 'Pause between two looks at the health of live databases'),
  DB_LEASE_TIMEOUT_MS: milliseconds(
    300_000,
    'A request that holds its database for longer counts as leaked, and its pool may be closed',
  ),
  DB_MIGRATION_STATEMENT_TIMEOUT_MS: milliseconds(
    600_000,
    "Longest statement of a migration of an organization's database",
  ),
  DB_MIGRATION_LOCK_TIMEOUT_MS: milliseconds(
    2000,
    'Longest wait of such a migration for one lock; requests that need the table queue behind it',
  ),
  DB_MIGRATION_CONCURRENCY: number(
    'organizations',
    4,
    { min: 1 },
    "Organizations' databases that are migrated at the same time on one server",
  ),
  DB_AUTO_CREATE_ORG_DBS: flag('organizations', true, "Make an organization's database at its first use"),
  DB_SPARES_MIN: number(
    'organizations',
    2,
    { min: 0, max: MAX_SPARES },
    'Databases kept ready for new organizations at least, some 8 MB each',
  ),
  DB_SPARES_MAX: number(
    'organizations',
    20,
    { min: 0, max: MAX_SPARES },
    'Databases kept ready at most, when many organizations come',
  ),
  DB_ORG_ROLES: flag(
    'organizations',
    false,
    'A PostgreSQL role for each organization; the embedded start turns it on',
  ),
  DB_ROLE_SECRET: secret('organizations', "The secret that the roles' passwords are derived from"),
  DB_ROLE_SECRET_OTHER: secret(
    'organizations',
    'While secrets are rotated: the one that roles may have their passwords from as well (`docs/credential-rotation.md`)',
  ),
  HOST: text(
    'process',
    '127.0.0.1',
    'an address or host name to listen on',
    'The address to listen on; `0.0.0.0` and `::` are all addresses of the machine',
  ),
  PORT: number('process', 3000, { min: 0, max: 65_535 }, 'The port to listen on; 0: any that is free'),
  TRUSTED_PROXIES: number(
    'process',
    0,
    { min: 0, max: 16 },
    "Reverse proxies in front; with a wrong number callers' addresses are the proxy's, or whatever the caller says",
  ),
  ...FILE_VARIABLES,
  ...COST_VARIABLES,
  CORS_ORIGINS: text(
    'process',
    null,
    'origins such as https://lab.example, with commas between them, or *',
    'Origins of web pages that may call the API from a browser',
  ),
  SHUTDOWN_TIMEOUT_MS: milliseconds(
    25_000,
    'A stop takes no longer, from the signal to the end of the process: less than the patience of whoever kills it then',
    'process',
  ),
  SHUTDOWN_DELAY_MS: number(
    'process',
    0,
    { min: 0, max: 600_000 },
    'The beginning of a stop during which `/ready` answers 503 and requests are still served, for load balancers to notice; part of `SHUTDOWN_TIMEOUT_MS`',
  ),
  NODE_ENV: {
    kind: 'choice',
    section: 'process',
    choices: MODES,
    fallback: 'development',
    means: "`production` hides organizations' names in `/ready` and asks for https where keys are fetched",
  },
  LOG_LEVEL: {
    kind: 'choice',
    section: 'process',
    choices: LOG_LEVELS,
    fallback: 'info',
    means: 'The least severe lines that are logged; `debug` logs every database operation',
  },
  METRICS_ENGINES: text(
    'process',
    'vina',
    'names of engines, with commas between them',
    'Engines that metrics tell apart; jobs of all others are under `other`',
  ),
  READY_STRICT: flag(
    'process',
    false,
    '`/ready` answers 503 as soon as any live database is unhealthy, or the process hears late of changes',
  ),
  JWT_SECRET: secret(
    'tokens',
    'The HS256 key that signs and verifies tokens; made by itself for the embedded start',
  ),
  JWT_PUBLIC_KEY: secret(
    'tokens',
    'The key of an identity provider, for RS256 or ES256',
    'a PEM public key, RSA of at least 2048 bits or EC P-256 (line breaks may be written as \\n)',
  ),
  JWT_JWKS_URL: secret(
    'tokens',
    "The address of an identity provider's keys, in place of `JWT_PUBLIC_KEY`; https in production",
    'an http(s):// URL without credentials',
  ),
  JWT_ISSUER: text('tokens', 'mad.local', CLAIM_TAKES, 'The issuer that tokens of this service name'),
  JWT_EXTERNAL_ISSUER: text(
    'tokens',
    null,
    CLAIM_TAKES,
    'The identity provider that signs with `JWT_PUBLIC_KEY` or `JWT_JWKS_URL`, whose users have to be linked; unset: `JWT_ISSUER` does',
  ),
  JWT_AUDIENCE: text('tokens', 'mad', CLAIM_TAKES, 'The audience that tokens name'),
  JWT_ACCESS_TTL_SECONDS: number(
    'tokens',
    3600,
    { min: 1, max: 30 * 24 * 3600 },
    'How long an access token is good',
  ),
  JWT_REFRESH_TTL_SECONDS: number(
    'tokens',
    14 * 24 * 3600,
    { min: 1, max: 365 * 24 * 3600 },
    'How long a login can be extended by refresh tokens',
  ),
  LOGIN_ATTEMPTS_PER_ACCOUNT: number(
    'logins',
    10,
    { min: 1, max: MILLION },
    'Failed logins of one account within a quarter of an hour',
  ),
  LOGIN_ATTEMPTS_PER_ADDRESS: number(
    'logins',
    100,
    { min: 1, max: MILLION },
    'Failed logins from one address within a quarter of an hour',
  ),
  BOOTSTRAP_ADMIN_EMAIL: text(
    'logins',
    null,
    'an e-mail address',
    'The start makes a platform administrator with this email, if nobody has it',
  ),
  BOOTSTRAP_ADMIN_PASSWORD: secret('logins', 'The password of that administrator', '8 to 1024 characters'),
  ...TRACING_VARIABLES,
  ...WORKER_VARIABLES,
  TEST_DATABASE_URL: {
    ...url(
      'postgresql://user:password@host:5432/database',
      '',
      'A server that the tests may create databases on; unset: Docker where a daemon answers, else an embedded one',
    ),
    section: 'tests',
  },
} as const satisfies Readonly<Record<string, Variable>>;

export type VariableName = keyof typeof VARIABLES;

/** The names of the variables of a kind. */
export type NameOf<Kind extends Variable['kind']> = {
  [Name in VariableName]: (typeof VARIABLES)[Name]['kind'] extends Kind ? Name : never;
}[VariableName];
