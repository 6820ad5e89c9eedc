import {
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../../domain/organizations/organization-id.ts';
import { ConfigError } from '../config/config-error.ts';
import { readEnvironment } from '../config/config.ts';
import { readDatabaseConfig, type DatabaseConfig } from '../config/database-config.ts';
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
 * missing; an organization's is not, which is for the service to do.
 *
 * @throws {CommandError} for whatever goes wrong
 */
export const openCommandTarget = async (kind: DatabaseKind): Promise<CommandTarget> => {
  try {
    const given = readEnvironment();
    // Refused before a server is started for nothing; how long it may be, only the configuration tells.
    if (kind === 'results') readOrganizationId(given, MAX_NAME_BYTES);
    const { environment } = await prepareLocalCommand(given);
    const { metadataUrl, resultsTemplate } = readConfig(environment);
    if (kind === 'metadata') {
      await ensureDatabase(metadataUrl);
      return { url: metadataUrl, metadataUrl, organizationId: null };
    }
    const organizationId = readOrganizationId(environment, resultsTemplate.maxOrganizationIdLength);
    const url = resultsTemplate.urlFor(organizationId ?? TEMPLATE_ID);
    if (organizationId === null) await ensureDatabase(url);
    else await assertIsOn(url, organizationId, metadataUrl);
    return { url, metadataUrl, organizationId };
  } catch (error) {
    throw error instanceof CommandError ? error : new CommandError(reasonOf(error));
  }
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
  const shown = JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
  throw new CommandError(`ORG_ID holds ${shown}, which is no organization id: it ${problem}.`);
};

/** What has the organization's name need not be its database: the stamp tells. One without a stamp is nobody's yet. */
const assertIsOn = async (
  url: DatabaseUrl,
  organizationId: OrganizationId,
  metadataUrl: DatabaseUrl,
): Promise<void> => {
  const found = await readStamp(url, organizationId);
  if (readMark(found) === null) return;
  const metadata = await open(metadataUrl);
  try {
    const [recorded] = await metadata.query<DatabaseIdentity>({
      text: `select deployment_id as "deploymentId", org_id as "organizationId", stamp, generation
             from organization_databases, deployment where org_id = $1 and database_name = $2`,
      values: [organizationId, url.database],
    });
    if (recorded !== undefined && isIdentity(found, recorded)) return;
  } finally {
    await metadata.close();
  }
  throw new CommandError(
    `The database ${url.database} is not the one on record for the organization "${organizationId}": ` +
      `see "databases reconcile --dry-run".`,
  );
};

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
