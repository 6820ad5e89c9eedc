import { randomUUID } from 'node:crypto';
import type { DatabaseLedger, DatabaseRecord } from '../../application/ports/databases/database-ledger.ts';
import { holdsResults } from '../../domain/databases/results-database.ts';
import type { Finding } from '../../application/ports/databases/database-upkeep.ts';
import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { ProvisioningLedger } from '../../application/ports/databases/provisioning-ledger.ts';
import type { SpareLedger } from '../../application/ports/databases/spare-ledger.ts';
import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import { OrganizationSuspendedError } from '../../domain/organizations/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { allOf } from '../../domain/page.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import { cautious, compare, isStamped, judge, type Books } from './database-findings.ts';
import { formatIdentity, readMark } from '../../domain/databases/database-identity.ts';
import type { Custodian } from './custodian.ts';
import { isServerProblem, MISSING } from './database-problems.ts';
import { quarantineName, readInternalName } from '../servers/internal-names.ts';
import type { Provisioner } from './provisioner.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import type { ResultsTemplate } from '../servers/results-template.ts';
import type { ListedDatabase, ServerSession } from '../servers/server-session.ts';

export interface ReconcileOptions {
  readonly dryRun: boolean;
  /** Also put databases aside that no deployment of this service is known to have made: only on an operator's word. */
  readonly quarantineForeign: boolean;
  /**
   * Finish what is half-made, report all else: what a start may do, as it does not know that its metadata is right.
   * False by default.
   */
  readonly resumeOnly?: boolean;
}

export interface ReconcilerDeps {
  readonly ledger: DatabaseLedger & ProvisioningLedger;
  readonly spares: SpareLedger;
  readonly provisioner: Pick<Provisioner, 'ensure'>;
  readonly custodian: Pick<Custodian, 'finishRetirement'>;
  readonly template: ResultsTemplate;
  readonly server: ResultsServer;
  readonly urls: ResultsUrlTemplate;
  readonly deployment: Deployment;
  readonly metadata: MetadataDatabase;
  readonly logger: Logger;
}

/** How long one waits for another. */
const PATIENCE_MS = 60_000;

/** Compares what is on the server with what is on the books, both ways. Repairs what is safe and drops nobody's data. */
export class Reconciler {
  readonly #deps: ReconcilerDeps;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /**
   * One process at a time; a second caller waits and then finds less to do.
   *
   * @throws {OrganizationNotReadyError} when the other one takes longer than a minute
   */
  reconcile(options: ReconcileOptions): Promise<readonly Finding[]> {
    return this.#deps.server.exclusively(
      'reconcile',
      (session) => this.#reconcile(session, options),
      PATIENCE_MS,
    );
  }

  async #reconcile(session: ServerSession, options: ReconcileOptions): Promise<readonly Finding[]> {
    // The server first: whatever stands there was on the books before it was made, so what the books do not hold
    // afterwards is no work in progress.
    const databases = await session.listDatabases();
    const [records, internalNames, deploymentId] = await Promise.all([
      this.#listRecords(),
      this.#deps.spares.listNames(),
      this.#deps.deployment.id(),
    ]);
    const lockedOut = await session.lockedOut([...records.values()].filter(isStamped));
    const books = { records, internalNames: new Set(internalNames), deploymentId, lockedOut };
    const findings: Finding[] = [];
    for (const found of compare(databases, books, this.#deps.urls)) {
      const finding = options.resumeOnly === true ? cautious(found) : found;
      if (finding === null) continue;
      const outcome = await this.#settle(session, finding, options);
      if (outcome !== null) findings.push(outcome);
    }
    if (!options.dryRun) await this.#clearRecovered(databases, books);
    return findings;
  }

  async #listRecords(): Promise<Map<OrganizationId, DatabaseRecord>> {
    const records = new Map<OrganizationId, DatabaseRecord>();
    for await (const record of allOf((page) => this.#deps.ledger.list({ state: null }, page)))
      records.set(record.organizationId, record);
    return records;
  }

  /**
   * What became of a finding; null when it is so no longer. Server and books were read one after the other, and the
   * findings before this one took their time: each is looked at again, and acted on while nobody else works on it.
   */
  async #settle(
    session: ServerSession,
    finding: Finding,
    options: ReconcileOptions,
  ): Promise<Finding | null> {
    // Provisioning and retirement take the lock and look at the books themselves.
    const locksItself = finding.kind === 'half-made' || finding.kind === 'half-retired';
    if (options.dryRun) return locksItself || (await this.#isStillSo(session, finding)) ? finding : null;
    const { logger, server } = this.#deps;
    try {
      const action = locksItself
        ? await this.#repair(session, finding, options)
        : await server.exclusively(finding.database, async (locked) =>
            (await this.#isStillSo(locked, finding)) ? this.#repair(locked, finding, options) : null,
          );
      if (action === null) return null;
      const done = { ...finding, action };
      logger.warn({ finding: done }, 'a results database was not as recorded');
      return done;
    } catch (error) {
      // Left as it is until the organization comes back.
      if (error instanceof OrganizationSuspendedError || error instanceof OrganizationNotFoundError)
        return { ...finding, action: 'reported' };
      logger.error({ err: error, finding }, 'a results database could not be reconciled');
      return { ...finding, action: 'failed' };
    }
  }

  async #isStillSo(session: ServerSession, { kind, database, organizationId }: Finding): Promise<boolean> {
    const { ledger, spares, deployment } = this.#deps;
    const identity = await session.identityOf(database);
    const record = organizationId === null ? null : await ledger.find(organizationId);
    if (kind === 'missing') return identity === undefined && record !== null && holdsResults(record.state);
    if (identity === undefined) return false;
    const books = {
      records: new Map(record === null ? [] : [[record.organizationId, record]]),
      internalNames: new Set(await spares.listNames()),
      deploymentId: await deployment.id(),
      lockedOut: await session.lockedOut(record !== null && isStamped(record) ? [record] : []),
    };
    return judge({ name: database, identity }, books, this.#deps.urls)?.kind === kind;
  }

  async #repair(
    session: ServerSession,
    { kind, database, organizationId, action }: Finding,
    options: ReconcileOptions,
  ): Promise<Finding['action'] | null> {
    switch (kind) {
      case 'missing':
        if (organizationId !== null) await this.#deps.ledger.noteError(organizationId, MISSING);
        return 'reported';
      case 'half-made':
        if (organizationId !== null) await this.#deps.provisioner.ensure(organizationId, true);
        return 'resumed';
      case 'half-retired':
        return organizationId !== null && (await this.#deps.custodian.finishRetirement(organizationId))
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
        await session.dropSpare(database, readInternalName(this.#deps.urls, database)?.id ?? '');
        return 'dropped';
      case 'foreign':
        if (!options.quarantineForeign || (await this.#isAnothers(session, database))) return 'reported';
        return this.#quarantine(session, database, organizationId);
      case 'orphan':
        if (action === 'reported') return action;
        return this.#quarantine(session, database, organizationId);
    }
  }

  async #isAnothers(session: ServerSession, database: string): Promise<boolean> {
    const deploymentId = readMark(await session.identityOf(database))?.deploymentId ?? null;
    return deploymentId !== null && deploymentId !== (await this.#deps.deployment.id());
  }

  async #stamp(
    session: ServerSession,
    database: string,
    organizationId: OrganizationId | null,
  ): Promise<void> {
    const record = organizationId === null ? null : await this.#deps.ledger.find(organizationId);
    if (record === null || record.stamp === null) return;
    const deploymentId = await this.#deps.deployment.id();
    await session.mark(database, formatIdentity({ ...record, stamp: record.stamp, deploymentId }));
  }

  async #admit(
    session: ServerSession,
    database: string,
    organizationId: OrganizationId | null,
  ): Promise<void> {
    const record = organizationId === null ? null : await this.#deps.ledger.find(organizationId);
    if (record === null || record.stamp === null) return;
    await session.createGroupRole();
    await session.restrict(database, record.stamp);
    await this.#deps.template.grantRows(database);
  }

  async #quarantine(
    session: ServerSession,
    database: string,
    organizationId: OrganizationId | null,
  ): Promise<'quarantined'> {
    const aside = quarantineName(this.#deps.urls, 'orphan', randomUUID());
    await session.quarantine(database, aside);
    await this.#deps.metadata.auditLog.append({
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

  async #clearRecovered(databases: readonly ListedDatabase[], books: Books): Promise<void> {
    const right = new Set(
      databases.filter((one) => judge(one, books, this.#deps.urls) === null).map(({ name }) => name),
    );
    for (const { organizationId, databaseName, lastError } of books.records.values()) {
      if (isServerProblem(lastError) && right.has(databaseName))
        await this.#deps.ledger.noteError(organizationId, null);
    }
  }
}
