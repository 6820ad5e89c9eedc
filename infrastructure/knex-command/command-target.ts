import { DEFAULT_SERVER, type ServerId } from '../../domain/databases/server.ts';
import {
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../../domain/organizations/organization-id.ts';
import { ConfigError } from '../config/config-error.ts';
import { readEnvironment } from '../config/read-environment.ts';
import { readDatabaseConfig, type DatabaseConfig, type ServerConfig } from '../config/database-config.ts';
import { EnvironmentReader, type Environment } from '../config/environment-reader.ts';
import { prepareLocalCommand } from '../local/local-command.ts';
import { ConnectionName } from '../postgres/connection-names.ts';
import type { DatabaseUrl } from '../postgres/database-url.ts';
import { ensureDatabase } from '../postgres/ensure-database.ts';
import { PgConnection } from '../postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';
import { MAX_NAME_BYTES } from '../postgres/url-parts.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { isIdentity, readMark, type DatabaseIdentity } from '../../domain/databases/database-identity.ts';
import { CommandError } from './command-error.ts';

export type DatabaseKind = 'metadata' | 'results';

/** The database that one run of the `knex` command migrates. */
export interface CommandTarget {
  readonly url: DatabaseUrl;
  readonly metadataUrl: DatabaseUrl;
  /** Null when the database belongs to no organization. */
  readonly organizationId: OrganizationId | null;
  /** Of the organization's database; null when the ledger has none. */
  readonly stamp: string | null;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Messages show this many characters of a refused value. */
const MAX_SHOWN = 60;

/**
 * A reserved id: no organization can have it. The cast is safe because the id only becomes part of a database name
 * here. The service does not clone this database; it has its own template.
 */
const TEMPLATE_ID = 'template' as OrganizationId;

/**
 * Finds the database from the service's configuration. Creates the metadata database or the template when it is
 * missing; only the service creates an organization's database. `SERVER` names the server of the template. The ledger
 * knows the server of an organization.
 *
 * @throws {CommandError} for every failure
 */
export const openCommandTarget = async (kind: DatabaseKind): Promise<CommandTarget> => {
  try {
    const given = readEnvironment();
    // Check the id before an embedded server starts. Its exact maximum length is only known afterwards.
    if (kind === 'results') readOrganizationId(given, MAX_NAME_BYTES);
    const { environment } = await prepareLocalCommand(given);
    const config = readConfig(environment);
    const { metadataAdminUrl: metadataUrl } = config;
    if (kind === 'metadata') {
      await ensureDatabase(metadataUrl);
      return { url: metadataUrl, metadataUrl, organizationId: null, stamp: null };
    }
    const organizationId = readOrganizationId(environment, config.maxOrganizationIdLength);
    if (organizationId !== null) {
      const located = await locateOrganization(config, organizationId, environment['SERVER']);
      return { ...located, metadataUrl, organizationId };
    }
    const { urls } = serverOf(config, environment['SERVER'] ?? DEFAULT_SERVER);
    const url = urls.ownerUrlFor(urls.names.forOrganization(TEMPLATE_ID));
    await ensureDatabase(url);
    return { url, metadataUrl, organizationId, stamp: null };
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

/**
 * Records the schema version of an organization's database in the ledger. Does nothing for other databases, and when the
 * organization was given another database while the command was at work.
 */
export const refreshLedger = async (target: CommandTarget, schemaVersion: number): Promise<void> => {
  const { organizationId, metadataUrl, url, stamp } = target;
  if (organizationId === null) return;
  const metadata = await open(metadataUrl);
  try {
    await metadata.query({
      text: `update organization_databases set schema_version = $1, updated_at = now()
             where org_id = $2 and database_name = $3 and stamp is not distinct from $4::uuid`,
      values: [schemaVersion, organizationId, url.database, stamp],
    });
  } finally {
    await metadata.close();
  }
};

/** Reads only the database part of the configuration: migrations need no token keys. */
const readConfig = (environment: Environment): DatabaseConfig => {
  const reader = new EnvironmentReader(environment);
  const config = readDatabaseConfig(reader);
  if (config === null || reader.problems.length > 0) throw new ConfigError(reader.problems);
  return config;
};

/** Reads ORG_ID; null when it is not set. An empty ORG_ID is refused: it is most likely an unset shell variable. */
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
 * Returns the URL and the recorded stamp of the organization's database. A database of that name may be another one, so the stamp must match
 * the ledger. A database without a stamp is not assigned yet and is accepted.
 */
const locateOrganization = async (
  config: DatabaseConfig,
  organizationId: OrganizationId,
  wantedServer: string | undefined,
): Promise<Pick<CommandTarget, 'url' | 'stamp'>> => {
  const recorded = await findRecord(config.metadataAdminUrl, organizationId);
  const serverId = recorded?.serverId ?? wantedServer ?? DEFAULT_SERVER;
  if (wantedServer !== undefined && wantedServer !== serverId) {
    throw new CommandError(
      `SERVER holds ${JSON.stringify(shorten(wantedServer))}, and the database of "${organizationId}" is on "${serverId}".`,
    );
  }
  const { urls } = serverOf(config, serverId);
  const url = urls.ownerUrlFor(recorded?.databaseName ?? urls.names.forOrganization(organizationId));
  const found = await readStamp(url, organizationId);
  if (readMark(found) === null || (recorded !== null && isIdentity(found, recorded)))
    return { url, stamp: recorded?.stamp ?? null };
  throw new CommandError(
    `The database ${url.database} is not the one on record for the organization "${organizationId}": ` +
      `see "databases reconcile --dry-run".`,
  );
};

/** Null when the ledger has no database of the organization, or does not exist yet. */
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

/** SQLSTATEs of a metadata database that is missing or not fully migrated. */
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
    return database.identity;
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
