import { OrganizationDatabaseNotFoundError } from '../../domain/databases/errors.ts';
import { isHalfMade } from '../../domain/databases/results-database.ts';
import {
  formatIdentity,
  isIdentity,
  readMark,
  stampIn,
  type DatabaseMark,
} from '../../domain/databases/database-identity.ts';
import { SERVER_DATABASES } from '../../domain/databases/database-names.ts';
import { DEFAULT_SERVER, type ServerId } from '../../domain/databases/server.ts';
import { DatabaseProvisioningError, OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { type DatabaseLedger, type DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { DatabaseServer, DatabaseServers } from '../ports/databases/database-server.ts';
import type { AdoptedDatabase } from '../ports/databases/database-upkeep.ts';
import type { Deployment } from '../ports/databases/deployment.ts';
import { ADOPTED, type ProvisioningLedger } from '../ports/databases/provisioning-ledger.ts';
import type { ServerSession } from '../ports/databases/server-session.ts';
import { assertNotOfAnotherDeployment, assertNotOfAnotherOrganization, refusal } from './ownership.ts';

export interface AdoptPorts {
  readonly ledger: DatabaseLedger & ProvisioningLedger;
  readonly servers: DatabaseServers;
  readonly deployment: Deployment;
  /** Makes a UUID. */
  readonly newId: () => string;
  /** No organization's, wherever it is. */
  readonly metadataDatabaseName: string;
}

export interface AdoptOptions {
  /** The database's present name; the organization's by default. */
  readonly from?: string | undefined;
  /** Where the database is; the organization's server by default, or the default one. */
  readonly serverId?: ServerId | undefined;
  /** Also when it is another deployment's, whose metadata database is lost. */
  readonly takeOver?: boolean | undefined;
}

export type AdoptDatabase = ReturnType<typeof adoptDatabase>;

/**
 * Makes a database that this service did not make, or that was put aside, the organization's: brings its schema up to
 * date, stamps it, and gives it the organization's name. Earlier pools do not recognize it: its generation is new. What
 * an attempt leaves undone is finished by the next one, or by the organization's next request.
 *
 * @throws {OrganizationNotFoundError}
 * @throws {OrganizationDatabaseNotFoundError} when there is no database of that name
 * @throws {DatabaseConnectionError} when the configuration does not name the server
 * @throws {DatabaseProvisioningError} when the organization has another database already, and when this one says that it
 * is another organization's or deployment's, or is no organization's: the metadata, a spare, a template, the server's
 */
export const adoptDatabase =
  (ports: AdoptPorts) =>
  async (organizationId: OrganizationId, options: AdoptOptions = {}): Promise<AdoptedDatabase> => {
    const { ledger, servers, metadataDatabaseName } = ports;
    const found = await ledger.findForAccess(organizationId);
    if (found === null) throw new OrganizationNotFoundError();
    const server = servers.of(options.serverId ?? found.record?.serverId ?? DEFAULT_SERVER);
    assertNotElsewhere(found.record, server);
    const databaseName = server.names.ofRecord(organizationId, found.record);
    const source = options.from ?? databaseName;
    const reason = whyNotByName(server, source, organizationId, metadataDatabaseName);
    if (reason !== null) throw refusal(source, reason);
    await server.template.ready();
    return server.exclusively(databaseName, async (session) => {
      const comment = await session.identityOf(source);
      if (comment === undefined) {
        // An adoption that ended between its last two steps: renamed, and not completed.
        const record = await ledger.find(organizationId);
        if (record === null || !(await finishAdoption(ports, session, record)))
          throw new OrganizationDatabaseNotFoundError();
        return { databaseName, formerly: 'its own' };
      }
      const adoption = { organizationId, databaseName, source, comment, takeOver: options.takeOver === true };
      return adoptLocked(ports, server, session, adoption);
    });
  };

const assertNotElsewhere = (record: DatabaseRecord | null, { serverId }: DatabaseServer): void => {
  if (record !== null && record.stamp !== null && record.serverId !== serverId) throw elsewhere(record);
};

/** What the organization has on another server would be lost to it, and nobody would notice. */
const elsewhere = ({ serverId }: DatabaseRecord): DatabaseProvisioningError =>
  new DatabaseProvisioningError(
    `The organization has a database on the server "${serverId}"; retire that one first.`,
  );

interface Adoption {
  readonly organizationId: OrganizationId;
  readonly databaseName: string;
  /** The database's present name. */
  readonly source: string;
  /** What its comment says. */
  readonly comment: string | null;
  readonly takeOver: boolean;
}

const adoptLocked = async (
  { ledger, deployment, newId }: AdoptPorts,
  server: DatabaseServer,
  session: ServerSession,
  { organizationId, databaseName, source, comment, takeOver }: Adoption,
): Promise<AdoptedDatabase> => {
  const deploymentId = await deployment.id();
  const mark = readMark(comment);
  const encoding = await session.encodingOf(source);
  if (encoding !== 'UTF8') throw refusal(source, `has the encoding ${encoding}, and has to have UTF8`);
  if (mark !== null && mark.organizationId === null) throw refusal(source, 'is a spare or a template');
  assertNotOfAnotherOrganization(mark, organizationId, source);
  if (!takeOver) assertNotOfAnotherDeployment(source, comment, deploymentId, null);
  if (source !== databaseName && (await session.exists(databaseName))) {
    throw new DatabaseProvisioningError('The organization has a database; retire that one first.');
  }
  await session.allowConnections(source);
  const schemaVersion = await server.migrate(source);
  await server.template.grantRows(source);
  // From here on the organization's next request finishes it, if this process does not.
  const recorded = await ledger.recordAdoption(organizationId, {
    serverId: server.serverId,
    databaseName,
    from: source,
    stamp: newId(),
    schemaVersion,
  });
  // A request may have made one there while this database was migrated: the lock is this server's.
  if (recorded.spare === null) throw elsewhere(recorded.record);
  const { record, spare } = recorded;
  await session.restrict(source, record.stamp);
  // While the database still says whose it was: a repetition after a crash has to find the role, too.
  const earlier = stampIn(comment);
  if (earlier !== null && earlier !== record.stamp) await session.removeRole(source, earlier);
  if (!(await session.stampAndRename(source, databaseName, formatIdentity({ ...record, deploymentId }))))
    throw new DatabaseProvisioningError(`The database "${source}" could not take its name.`);
  await ledger.complete(organizationId, spare, 'adoption');
  return { databaseName, formerly: formerOwner(mark, deploymentId) };
};

const formerOwner = (mark: DatabaseMark | null, deploymentId: string): AdoptedDatabase['formerly'] => {
  if (mark === null) return 'nobody';
  // A release whose stamps did not name the deployment is an earlier one of this deployment.
  return (mark.deploymentId ?? deploymentId) === deploymentId ? 'its own' : 'another deployment';
};

const finishAdoption = async (
  { ledger, deployment }: AdoptPorts,
  session: ServerSession,
  record: DatabaseRecord,
): Promise<boolean> => {
  const { organizationId, serverId, databaseName, state, stamp, schemaVersion } = record;
  if (!isHalfMade(state) || stamp === null || schemaVersion === null) return false;
  const deploymentId = await deployment.id();
  if (!isIdentity(await session.identityOf(databaseName), { ...record, stamp, deploymentId })) return false;
  const spare = { spareId: stamp, serverId, databaseName, templateHash: ADOPTED, schemaVersion };
  await ledger.complete(organizationId, spare, 'adoption');
  return true;
};

const whyNotByName = (
  { names }: DatabaseServer,
  source: string,
  organizationId: OrganizationId,
  metadataDatabaseName: string,
): string | null => {
  const owner = names.organizationIdOf(source);
  if (owner !== null && owner !== organizationId) return `has the name of the organization "${owner}"`;
  if (source === metadataDatabaseName) return 'has the name of the metadata database';
  if (SERVER_DATABASES.includes(source)) return "is the server's own";
  const kind = names.readInternal(source)?.kind;
  return kind === undefined || kind === 'orphan' || kind === 'retired'
    ? null
    : `has the name of an internal ${kind}`;
};
