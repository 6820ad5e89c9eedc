import { OrganizationSuspendedError } from '../../domain/organizations/errors.ts';
import { holdsResults } from '../../domain/databases/results-database.ts';
import { formatIdentity, isIdentity, readMark } from '../../domain/databases/database-identity.ts';
import { isServerProblem, MISSING } from '../../domain/databases/database-problems.ts';
import { DatabaseConnectionError, OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { pagesOf } from '../../domain/page.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { type DatabaseLedger, type DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { DatabaseServer, DatabaseServers } from '../ports/databases/database-server.ts';
import type { Finding, ReconcileReport } from '../ports/databases/database-upkeep.ts';
import type { Deployment } from '../ports/databases/deployment.ts';
import type { PassOrigin } from '../ports/operators/operators-ledger.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { ProvisioningLedger } from '../ports/databases/provisioning-ledger.ts';
import type { ListedDatabase, ServerSession } from '../ports/databases/server-session.ts';
import type { SpareLedger } from '../ports/databases/spare-ledger.ts';
import type { Logger } from '../ports/runtime/logger.ts';
import { cautious, isStamped, judge, judgeRecord, type KnownDatabases } from './findings.ts';
import type { Provisioning } from '../ports/databases/provisioning.ts';
import type { FinishRetirement } from './retire.ts';

export interface ReconcileOptions {
  readonly dryRun: boolean;
  /** Also put databases aside that no deployment of this service is known to have made: only on an operator's word. */
  readonly quarantineForeign: boolean;
  /**
   * Finish what is half-made, report all else: what a start may do, as it does not know that its metadata is right.
   * False by default.
   */
  readonly resumeOnly?: boolean;
  /** Who asked for it; a command by default. */
  readonly origin?: PassOrigin;
}

export interface ReconcilePorts {
  readonly ledger: DatabaseLedger & ProvisioningLedger;
  readonly spares: SpareLedger;
  readonly servers: DatabaseServers;
  readonly provision: Provisioning['provision'];
  readonly finishRetirement: FinishRetirement;
  readonly deployment: Deployment;
  readonly metadata: MetadataDatabase;
  /** Makes a UUID. */
  readonly newId: () => string;
  readonly logger: Logger;
}

/** How long one reconciliation of a server waits for another. */
const PATIENCE_MS = 60_000;

export type ReconcileDatabases = ReturnType<typeof reconcileDatabases>;

/**
 * Compares what each server holds with what the ledger says, both ways. Repairs what is safe and drops nobody's data. One
 * process at a time works on a server: a second caller waits up to a minute, and then finds less to do. A server that
 * does not answer holds up no other.
 *
 * @throws {OrganizationNotReadyError} when another process goes on reconciling a server
 * @throws {DatabaseConnectionError} when the metadata database does not answer
 */
export const reconcileDatabases =
  (ports: ReconcilePorts) =>
  async (options: ReconcileOptions): Promise<ReconcileReport> => {
    const passes = await Promise.allSettled(
      ports.servers.list().map((server) => reconcileServer(ports, server, options)),
    );
    // After all have ended: what one of them met does not stop the others half-way.
    const reports = passes.map((pass) => {
      if (pass.status === 'rejected') throw pass.reason;
      return pass.value;
    });
    return {
      findings: reports.flatMap(({ findings }) => findings),
      unreachable: [...reports.flatMap(({ unreachable }) => unreachable), ...(await findUnconfigured(ports))],
    };
  };

/** Servers that hold databases and that this process does not know how to reach. */
const findUnconfigured = async ({
  servers,
  metadata,
}: ReconcilePorts): Promise<ReconcileReport['unreachable']> => {
  const configured = new Set(servers.list().map(({ serverId }) => serverId));
  return (await metadata.serverLedger.list())
    .filter(({ serverId, databases }) => databases > 0 && !configured.has(serverId))
    .map(({ serverId }) => ({ serverId, reason: 'The configuration does not name it.' }));
};

const reconcileServer = async (
  ports: ReconcilePorts,
  server: DatabaseServer,
  options: ReconcileOptions,
): Promise<ReconcileReport> => {
  let isReached = false;
  const work = (session: ServerSession): Promise<readonly Finding[]> => {
    isReached = true;
    return new ServerPass(ports, server, options).run(session);
  };
  try {
    return { findings: await server.exclusively('reconcile', work, PATIENCE_MS), unreachable: [] };
  } catch (error) {
    // While it answers, the cause is something else: the metadata database, say, which fails with the same error.
    const isAway = error instanceof DatabaseConnectionError && (!isReached || !server.isAvailable);
    if (!isAway) throw error;
    return { findings: [], unreachable: [{ serverId: server.serverId, reason: reasonOf(error) }] };
  }
};

/** The reconciliation of one server. */
class ServerPass {
  readonly #ports: ReconcilePorts;
  readonly #server: DatabaseServer;
  readonly #options: ReconcileOptions;
  readonly #findings: Finding[] = [];

  constructor(ports: ReconcilePorts, server: DatabaseServer, options: ReconcileOptions) {
    this.#ports = ports;
    this.#server = server;
    this.#options = options;
  }

  /** Both lists are read in pages, so that its memory does not grow with what is as it should be. */
  async run(session: ServerSession): Promise<readonly Finding[]> {
    for await (const databases of pagesOf((page) => session.listDatabases(page)))
      await this.#compareDatabases(session, databases);
    // Last: a half-made database may have to be made again under a name that an orphan holds until it is put aside.
    const { serverId } = this.#server;
    for await (const records of pagesOf((page) => this.#ports.ledger.list({ state: null, serverId }, page)))
      await this.#compareRecords(session, records);
    return this.#findings;
  }

  /** A database is in the ledger before it is made: what the ledger does not hold afterwards is no work in progress. */
  async #compareDatabases(session: ServerSession, databases: readonly ListedDatabase[]): Promise<void> {
    const { names, serverId } = this.#server;
    const ids = databases.flatMap(({ name }) => names.organizationIdOf(name) ?? []);
    const known = await this.#know(session, await this.#ports.ledger.findOnServer(serverId, ids));
    for (const database of databases) await this.#note(session, judge(database, known, this.#server));
  }

  async #compareRecords(session: ServerSession, records: readonly DatabaseRecord[]): Promise<void> {
    const databases = await session.findDatabases(records.map(({ databaseName }) => databaseName));
    const present = new Map(databases.map((database) => [database.name, database]));
    for (const record of records)
      await this.#note(session, judgeRecord(record, present.has(record.databaseName)));
    const failed = records.filter(({ lastError }) => isServerProblem(lastError));
    if (this.#options.dryRun || failed.length === 0) return;
    const known = await this.#know(session, failed);
    for (const record of failed) {
      const database = present.get(record.databaseName);
      if (database !== undefined && judge(database, known, this.#server) === null)
        await this.#ports.ledger.noteError(record, null);
    }
  }

  async #know(session: ServerSession, records: readonly DatabaseRecord[]): Promise<KnownDatabases> {
    const [internalNames, deploymentId, lockedOut] = await Promise.all([
      this.#ports.spares.listNames(),
      this.#ports.deployment.id(),
      session.withoutRoleAccess(records.filter(isStamped)),
    ]);
    return {
      records: new Map(records.map((record) => [record.organizationId, record])),
      internalNames: new Set(internalNames),
      deploymentId,
      lockedOut,
    };
  }

  /** Mends what was found as far as it may, and keeps what became of it. */
  async #note(session: ServerSession, found: Finding | null): Promise<void> {
    const finding = found !== null && this.#options.resumeOnly === true ? cautious(found) : found;
    if (finding === null) return;
    const outcome = await this.#settle(session, finding);
    if (outcome !== null) this.#findings.push(outcome);
  }

  /**
   * Returns what became of a finding; null when it is so no longer. Server and ledger were read one after the other, and
   * the findings before this one took their time. So each is looked at again, and acted on under the lock of its name.
   */
  async #settle(session: ServerSession, finding: Finding): Promise<Finding | null> {
    // Provisioning and retirement take the lock and look at the ledger themselves.
    const locksItself = finding.kind === 'half-made' || finding.kind === 'half-retired';
    if (this.#options.dryRun)
      return locksItself || (await this.#isStillSo(session, finding)) ? finding : null;
    const { logger } = this.#ports;
    try {
      const action = locksItself
        ? await this.#repair(session, finding)
        : await this.#server.exclusively(finding.database, async (locked) =>
            (await this.#isStillSo(locked, finding)) ? this.#repair(locked, finding) : null,
          );
      if (action === null) return null;
      const done = { ...finding, action };
      logger.write('database.reconciled', { finding: done });
      return done;
    } catch (error) {
      // Left as it is until the organization comes back.
      if (error instanceof OrganizationSuspendedError || error instanceof OrganizationNotFoundError)
        return { ...finding, action: 'reported' };
      logger.write('database.reconciliation_failed', { err: error, finding });
      return { ...finding, action: 'failed' };
    }
  }

  async #isStillSo(session: ServerSession, { kind, database, organizationId }: Finding): Promise<boolean> {
    const { deployment } = this.#ports;
    const identity = await session.identityOf(database);
    const found = await this.#recordOf(organizationId);
    const record = found?.serverId === this.#server.serverId ? found : null;
    if (kind === 'missing') return identity === undefined && record !== null && holdsResults(record.state);
    if (identity === undefined) return false;
    // The very database of the record: two servers of the configuration are the same cluster.
    if (found !== null && record === null && isStamped(found)) {
      if (isIdentity(identity, { ...found, deploymentId: await deployment.id() })) return false;
    }
    const known = await this.#know(session, record === null ? [] : [record]);
    return judge({ name: database, identity }, known, this.#server)?.kind === kind;
  }

  async #repair(
    session: ServerSession,
    { kind, database, organizationId, action }: Finding,
  ): Promise<Finding['action'] | null> {
    switch (kind) {
      case 'missing': {
        const record = await this.#recordOf(organizationId);
        if (record !== null) await this.#ports.ledger.noteError(record, MISSING);
        return 'reported';
      }
      case 'half-made':
        if (organizationId !== null) await this.#ports.provision(organizationId);
        return 'resumed';
      case 'half-retired':
        return organizationId !== null && (await this.#ports.finishRetirement(organizationId))
          ? 'resumed'
          : null;
      case 'locked-out':
        if (action === 'admitted') await this.#admit(session, database, organizationId);
        return action;
      case 'old-stamp':
        if (action === 'stamped') await this.#stamp(session, database, organizationId);
        return action;
      case 'stale-spare':
        if (action === 'reported') return action;
        await session.dropSpare(database, this.#server.names.readInternal(database)?.id ?? '');
        return 'dropped';
      case 'foreign':
        if (!this.#options.quarantineForeign || (await this.#isAnothers(session, database)))
          return 'reported';
        return this.#quarantine(session, database, organizationId);
      case 'orphan':
        if (action === 'reported') return action;
        return this.#quarantine(session, database, organizationId);
    }
  }

  async #recordOf(organizationId: OrganizationId | null): Promise<DatabaseRecord | null> {
    return organizationId === null ? null : this.#ports.ledger.find(organizationId);
  }

  async #isAnothers(session: ServerSession, database: string): Promise<boolean> {
    const deploymentId = readMark(await session.identityOf(database))?.deploymentId ?? null;
    return deploymentId !== null && deploymentId !== (await this.#ports.deployment.id());
  }

  async #stamp(
    session: ServerSession,
    database: string,
    organizationId: OrganizationId | null,
  ): Promise<void> {
    const record = await this.#recordOf(organizationId);
    if (record === null || record.stamp === null) return;
    const deploymentId = await this.#ports.deployment.id();
    await session.mark(database, formatIdentity({ ...record, stamp: record.stamp, deploymentId }));
  }

  async #admit(
    session: ServerSession,
    database: string,
    organizationId: OrganizationId | null,
  ): Promise<void> {
    const record = await this.#recordOf(organizationId);
    if (record === null || record.stamp === null) return;
    await session.createGroupRole();
    await session.restrict(database, record.stamp);
    await this.#server.template.grantRows(database);
  }

  async #quarantine(
    session: ServerSession,
    database: string,
    organizationId: OrganizationId | null,
  ): Promise<'quarantined'> {
    const aside = this.#server.names.quarantine('orphan', this.#ports.newId());
    await session.quarantine(database, aside);
    await this.#ports.metadata.auditLog.append({
      organizationId,
      userId: null,
      action: 'database.quarantined',
      entityType: 'database',
      entityId: database,
      details: { renamed_to: aside },
      requestId: null,
    });
    return 'quarantined';
  }
}
