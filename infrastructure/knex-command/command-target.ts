import { DEFAULT_SERVER, type ServerId } from '../../domain/databases/server.ts';
import {
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../../domain/organizations/organization-id.ts';
import { ConfigError } from '../config/config-error.ts';
import { readEnvironment } from '../config/config.ts';
import { readDatabaseConfig, type DatabaseConfig, type ServerConfig } from '../config/database-config.ts';
import { EnvironmentReader, type Environment } from '../config/environment-reader.ts';
import { prepareLocalCommand } from '../local/local-command.ts';
import { ConnectionName } from '../postgres/connection-names.ts';
import { MAX_NAME_BYTES, type DatabaseUrl } from '../postgres/database-url.ts';
import { ensureDatabase } from '../postgres/ensure-database.ts';
import { PgConnection } from '../postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import { READ_IDENTITY } from '../postgres/stamp-sql.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { isIdentity, readMark, type DatabaseIdentity } from '../../domain/databases/database-identity.ts';
import { CommandError } from './command-error.ts';

export type DatabaseKind = 'metadata' | 'results';

/** The database that one run of the knex command works on. */
export interface CommandTarget {
  readonly url: DatabaseUrl;
  readonly metadataUrl: DatabaseUrl;
  /** Null: no organization's. */
  readonly organizationId: OrganizationId | null;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** As much of a refused value as is shown. */
const MAX_SHOWN = 60;

/**
 * The one reserved id: its database belongs to no organization. It is as safe in a name as any id, which is all that
 * the type promises where it is used here. (Provisioning clones a template of its own.)
 */
const TEMPLATE_ID = 'template' as OrganizationId;

/**
 * Finds the database by the service's own configuration. The metadata database and the template are created when
 * missing; an organization's is not, which is for the service to do. SERVER says on which server the template is; an
 * organization's server stands in the ledger.
 *
 * @throws {CommandError} for whatever goes wrong
 */
export const openCommandTarget = async (kind: DatabaseKind): Promise<CommandTarget> => {
  try {
    const given = readEnvironment();
    // Refused before a server is started for nothing; how long it may be, only the configuration tells.
    if (kind === 'results') readOrganizationId(given, MAX_NAME_BYTES);
    const { environment } = await prepareLocalCommand(given);
    const config = readConfig(environment);
    const { metadataUrl } = config;
    if (kind === 'metadata') {
      await ensureDatabase(metadataUrl);
      return { url: metadataUrl, metadataUrl, organizationId: null };
    }
    const organizationId = readOrganizationId(environment, config.maxOrganizationIdLength);
    if (organizationId !== null) {
      const url = await locateOrganization(config, organizationId, environment['SERVER']);
      return { url, metadataUrl, organizationId };
    }
    const { urls } = serverOf(config, environment['SERVER'] ?? DEFAULT_SERVER);
    const url = urls.urlForDatabase(urls.names.forOrganization(TEMPLATE_ID));
    await ensureDatabase(url);
    return { url, metadataUrl, organizationId };
  } catch (error) {
    throw error instanceof CommandError ? error : new CommandError(reasonOf(error));
  }
};

const serverOf = ({ servers }: DatabaseConfig, name: string): ServerConfig => {
  const server = servers.find(({ serverId }) => serverId === name);
  if (server !== undefined) return server;
  const known = servers.map(({ serverId }) => serverId).join(', ');
  throw new CommandError(`SERVER holds ${JSON.stringify(shorten(name))}; it takes one of ${known}.`);
};

/** Tells the service which schema an organization's database has now. */
export const refreshLedger = async (target: CommandTarget, schemaVersion: number): Promise<void> => {
  const { organizationId, metadataUrl, url } = target;
  if (organizationId === null) return;
  const metadata = await open(metadataUrl);
  try {
    await metadata.query({
      text: `update organization_databases set schema_version = $1, updated_at = now()
             where org_id = $2 and database_name = $3`,
      values: [schemaVersion, organizationId, url.database],
    });
  } finally {
    await metadata.close();
  }
};

/** Migrations need no keys, so none are asked for. */
const readConfig = (environment: Environment): DatabaseConfig => {
  const reader = new EnvironmentReader(environment);
  const config = readDatabaseConfig(reader);
  if (config === null || reader.problems.length > 0) throw new ConfigError(reader.problems);
  return config;
};

/** ORG_ID; null when it is not set. An empty one is refused: whoever wrote it meant an organization. */
const readOrganizationId = (environment: Environment, maxLength: number): OrganizationId | null => {
  const value = environment['ORG_ID'];
  if (value === undefined) return null;
  const problem = organizationIdProblem(value, maxLength);
  if (problem === null) return parseOrganizationId(value, maxLength);
  throw new CommandError(
    `ORG_ID holds ${JSON.stringify(shorten(value))}, which is no organization id: it ${problem}.`,
  );
};

interface RecordedDatabase extends DatabaseIdentity {
  readonly serverId: ServerId;
  readonly databaseName: string;
}

/**
 * A database that has the organization's name need not be the one on record: the stamp tells. A database without a stamp
 * belongs to nobody yet.
 */
const locateOrganization = async (
  config: DatabaseConfig,
  organizationId: OrganizationId,
  wantedServer: string | undefined,
): Promise<DatabaseUrl> => {
  const recorded = await findRecord(config.metadataUrl, organizationId);
  const serverId = recorded?.serverId ?? wantedServer ?? DEFAULT_SERVER;
  if (wantedServer !== undefined && wantedServer !== serverId) {
    throw new CommandError(
      `SERVER holds ${JSON.stringify(shorten(wantedServer))}, and the database of "${organizationId}" is on "${serverId}".`,
    );
  }
  const { urls } = serverOf(config, serverId);
  const url = urls.urlForDatabase(recorded?.databaseName ?? urls.names.forOrganization(organizationId));
  const found = await readStamp(url, organizationId);
  if (readMark(found) === null || (recorded !== null && isIdentity(found, recorded))) return url;
  throw new CommandError(
    `The database ${url.database} is not the one on record for the organization "${organizationId}": ` +
      `see "databases reconcile --dry-run".`,
  );
};

/** Null when the ledger has no database of the organization, or is not there yet. */
const findRecord = async (
  metadataUrl: DatabaseUrl,
  organizationId: OrganizationId,
): Promise<RecordedDatabase | null> => {
  let metadata: PgConnection | undefined;
  try {
    metadata = await open(metadataUrl);
    const [row] = await metadata.query<RecordedDatabase>({
      text: `select deployment_id as "deploymentId", org_id as "organizationId", stamp, generation,
               server_id as "serverId", database_name as "databaseName"
             from organization_databases, deployment where org_id = $1 and stamp is not null`,
      values: [organizationId],
    });
    return row ?? null;
  } catch (error) {
    if (!NO_LEDGER.has(sqlStateOf(error))) throw error;
    return null;
  } finally {
    await metadata?.close();
  }
};

/** The metadata database is missing, or not migrated as far as this release wants it. */
const NO_LEDGER: ReadonlySet<string | null> = new Set([
  SqlState.invalidCatalogName,
  SqlState.undefinedTable,
  SqlState.undefinedColumn,
]);

const shorten = (text: string): string => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

const readStamp = async (url: DatabaseUrl, organizationId: OrganizationId): Promise<string | null> => {
  let database: PgConnection | undefined;
  try {
    database = await open(url);
    const [row] = await database.query<{ identity: string | null }>({ text: READ_IDENTITY, values: [] });
    return row?.identity ?? null;
  } catch (error) {
    if (sqlStateOf(error) !== SqlState.invalidCatalogName) throw error;
    throw new CommandError(
      `The organization "${organizationId}" has no database (${url.database}): the service makes it at first use, ` +
        `or at once by POST /admin/databases/${organizationId}/provision.`,
    );
  } finally {
    await database?.close();
  }
};

const open = (url: DatabaseUrl): Promise<PgConnection> =>
  PgConnection.open({
    url,
    applicationName: ConnectionName.knexCommand,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  });
