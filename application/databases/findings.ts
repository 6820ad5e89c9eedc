import { holdsResults, isHalfMade } from '../../domain/databases/results-database.ts';
import { isEarlierIdentity, isIdentity, readMark } from '../../domain/databases/database-identity.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { type DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { DatabaseServer } from '../ports/databases/database-server.ts';
import type { Finding } from '../ports/databases/database-upkeep.ts';
import type { ListedDatabase } from '../ports/databases/server-session.ts';

type Server = Pick<DatabaseServer, 'serverId' | 'names'>;

/** What the metadata database says of one server. */
export interface KnownDatabases {
  readonly records: ReadonlyMap<OrganizationId, DatabaseRecord>;
  /** Of spares and templates, and of databases on their way to an organization. */
  readonly internalNames: ReadonlySet<string>;
  readonly deploymentId: string;
  /** Databases that their roles cannot use. */
  readonly lockedOut: ReadonlySet<string>;
}

/**
 * What is wrong with a record of the ledger; null for nothing.
 *
 * @param isPresent whether the server has a database of that name
 */
export const judgeRecord = (
  { organizationId, databaseName: database, state, stamp, serverId }: DatabaseRecord,
  isPresent: boolean,
): Finding | null => {
  const found = { serverId, database, organizationId };
  if (state === 'retiring') return { ...found, kind: 'half-retired', action: 'resumed' };
  // Without a stamp: put aside, or never begun, and not asked for again.
  if (isHalfMade(state)) return stamp === null ? null : { ...found, kind: 'half-made', action: 'resumed' };
  return !isPresent && holdsResults(state) ? { ...found, kind: 'missing', action: 'reported' } : null;
};

/** What is wrong with a database that is on the server; null for nothing, or nothing of ours. */
export const judge = (database: ListedDatabase, known: KnownDatabases, server: Server): Finding | null => {
  const judged = judgeByName(database, known, server);
  return judged === null ? null : { serverId: server.serverId, ...judged };
};

type Judged = Omit<Finding, 'serverId'>;

const judgeByName = (
  { name: database, identity }: ListedDatabase,
  known: KnownDatabases,
  server: Server,
): Judged | null => {
  const organizationId = server.names.organizationIdOf(database);
  if (organizationId !== null) return judgeNamed(database, identity, organizationId, known);
  const own = server.names.readInternal(database);
  if (own === null || !REPLACEABLE.has(own.kind)) return null;
  // A template that is being built, or whose building was broken off, has another name than the ledger says.
  const hash = server.names.templateHashOf(database);
  if (known.internalNames.has(hash === null ? database : server.names.template(hash))) return null;
  if (identity === null) return { kind: 'stale-spare', database, organizationId: null, action: 'reported' };
  const mark = readMark(identity);
  return mark?.deploymentId === known.deploymentId && mark.organizationId === null
    ? { kind: 'stale-spare', database, organizationId: null, action: 'dropped' }
    : null;
};

export const isStamped = (record: DatabaseRecord): record is DatabaseRecord & { readonly stamp: string } =>
  record.stamp !== null;

/** What is left of a finding for a start to do. */
export const cautious = (finding: Finding): Finding | null => {
  if (finding.kind === 'old-stamp') return null;
  return finding.action === 'resumed' ? finding : { ...finding, action: 'reported' };
};

const judgeNamed = (
  database: string,
  identity: string | null,
  organizationId: OrganizationId,
  { records, internalNames, deploymentId, lockedOut }: KnownDatabases,
): Judged | null => {
  // An operator gave it to the organization, and its stamp is yet to come.
  if (internalNames.has(database)) return null;
  const record = records.get(organizationId);
  if (record !== undefined) {
    // Being put aside, as is.
    if (record.stamp === null && record.state === 'retiring') return null;
    if (isStamped(record)) {
      const expected = { ...record, deploymentId };
      if (lockedOut.has(database) && isIdentity(identity, expected))
        return { kind: 'locked-out', database, organizationId, action: 'admitted' };
      if (isEarlierIdentity(identity, expected))
        return { kind: 'old-stamp', database, organizationId, action: 'stamped' };
      if (isIdentity(identity, expected)) return null;
    }
  }
  return readMark(identity)?.deploymentId === deploymentId
    ? { kind: 'orphan', database, organizationId, action: 'quarantined' }
    : { kind: 'foreign', database, organizationId, action: 'reported' };
};

/** Without anybody's data. */
const REPLACEABLE: ReadonlySet<string> = new Set(['spare', 'template', 'build']);
