import type { DatabaseLedger, DatabaseRecord } from '../../application/ports/database-ledger.ts';
import type { Logger } from '../../application/ports/logger.ts';
import type { MetadataDatabase } from '../../application/ports/metadata-database.ts';
import type { ProvisioningLedger } from '../../application/ports/provisioning-ledger.ts';
import type { SpareLedger } from '../../application/ports/spare-ledger.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { ResultsUrlTemplate } from '../database/results-url-template.ts';
import { formatIdentity, isOurIdentity } from './database-identity.ts';
import type { Provisioner } from './provisioner.ts';
import { quarantineName } from './quarantine.ts';
import type { ResultsServer } from './results-server.ts';
import type { ListedDatabase, ServerSession } from './server-session.ts';

/**
 * - `missing`: on the books as ready, not on the server. Never made again empty: an operator restores or retires it.
 * - `half-made`: a provisioning that nobody finished.
 * - `orphan`: made by this service, and on no book: the metadata lost it.
 * - `foreign`: under an organization's name, and not made by this service.
 * - `stale-spare`: a spare or template on no book. Holds nobody's data.
 */
export type FindingKind = 'missing' | 'half-made' | 'orphan' | 'foreign' | 'stale-spare';

export interface Finding {
  readonly kind: FindingKind;
  readonly database: string;
  readonly organizationId: OrganizationId | null;
  /** What was done about it; in a dry run, what would be. */
  readonly action: 'reported' | 'resumed' | 'quarantined' | 'dropped' | 'failed';
}

export interface ReconcileOptions {
  readonly dryRun: boolean;
  /** Also put databases aside that this service did not make: only on an operator's word. */
  readonly quarantineForeign: boolean;
}

export interface ReconcilerDeps {
  readonly ledger: DatabaseLedger & ProvisioningLedger;
  readonly spares: SpareLedger;
  readonly provisioner: Provisioner;
  readonly server: ResultsServer;
  readonly urls: ResultsUrlTemplate;
  readonly metadata: MetadataDatabase;
  readonly logger: Logger;
}

const MISSING = 'The database is missing on the server.';
const PAGE = 1000;

/** Compares what is on the server with what is on the books, both ways. Repairs what is safe and drops nobody's data. */
export class Reconciler {
  readonly #deps: ReconcilerDeps;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /** One process at a time; a second caller waits and then finds less to do. */
  reconcile(options: ReconcileOptions): Promise<readonly Finding[]> {
    return this.#deps.server.exclusively('reconcile', async (session) => {
      // The server first: whatever stands there was on the books before it was made, so what the books do not hold
      // afterwards is no work in progress.
      const databases = await session.listDatabases();
      const [records, internalNames] = await Promise.all([
        this.#listRecords(),
        this.#deps.spares.listNames(),
      ]);
      const findings: Finding[] = [];
      for (const finding of this.#compare(databases, records, new Set(internalNames))) {
        // Made between the two looks.
        if (finding.kind === 'missing' && (await session.exists(finding.database))) continue;
        findings.push(options.dryRun ? finding : await this.#act(session, finding, options));
      }
      if (!options.dryRun) await this.#clearRecovered(databases, records);
      return findings;
    });
  }

  async #listRecords(): Promise<Map<OrganizationId, DatabaseRecord>> {
    const records = new Map<OrganizationId, DatabaseRecord>();
    for (let after: string | null = null; ;) {
      const { items, next } = await this.#deps.ledger.list({ state: null }, { limit: PAGE, after });
      for (const record of items) records.set(record.organizationId, record);
      if (next === null) return records;
      after = next;
    }
  }

  *#compare(
    databases: readonly ListedDatabase[],
    records: ReadonlyMap<OrganizationId, DatabaseRecord>,
    internalNames: ReadonlySet<string>,
  ): IterableIterator<Finding> {
    const { urls } = this.#deps;
    const present = new Set(databases.map(({ name }) => name));
    for (const { name: database, identity } of databases) {
      const organizationId = urls.organizationIdOf(database);
      if (organizationId !== null) {
        if (isOnRecord(records.get(organizationId), identity)) continue;
        yield isOurIdentity(identity)
          ? { kind: 'orphan', database, organizationId, action: 'quarantined' }
          : { kind: 'foreign', database, organizationId, action: 'reported' };
      } else if (isSpareOrTemplate(urls.internalLabelOf(database)) && !internalNames.has(database)) {
        if (identity === null)
          yield { kind: 'stale-spare', database, organizationId: null, action: 'dropped' };
      }
    }
    // Last: a half-made database may have to be made again under a name that an orphan holds until it is put aside.
    for (const { organizationId, databaseName: database, state } of records.values()) {
      if (state === 'provisioning' || state === 'failed') {
        yield { kind: 'half-made', database, organizationId, action: 'resumed' };
      } else if (!present.has(database) && state !== 'retiring') {
        yield { kind: 'missing', database, organizationId, action: 'reported' };
      }
    }
  }

  async #act(session: ServerSession, finding: Finding, options: ReconcileOptions): Promise<Finding> {
    const { logger } = this.#deps;
    try {
      const done = { ...finding, action: await this.#repair(session, finding, options) };
      logger.warn({ finding: done }, 'a results database was not as recorded');
      return done;
    } catch (error) {
      logger.error({ err: error, finding }, 'a results database could not be reconciled');
      return { ...finding, action: 'failed' };
    }
  }

  async #repair(
    session: ServerSession,
    { kind, database, organizationId }: Finding,
    options: ReconcileOptions,
  ): Promise<Finding['action']> {
    switch (kind) {
      case 'missing':
        if (organizationId !== null) await this.#deps.ledger.noteError(organizationId, MISSING);
        return 'reported';
      case 'half-made':
        if (organizationId !== null) await this.#deps.provisioner.ensure(organizationId, true);
        return 'resumed';
      case 'stale-spare':
        await session.dropSpare(database, spareIdIn(this.#deps.urls.internalLabelOf(database)));
        return 'dropped';
      case 'foreign':
        if (!options.quarantineForeign) return 'reported';
        return this.#quarantine(session, database, organizationId);
      case 'orphan':
        return this.#quarantine(session, database, organizationId);
    }
  }

  async #quarantine(
    session: ServerSession,
    database: string,
    organizationId: OrganizationId | null,
  ): Promise<'quarantined'> {
    const aside = quarantineName(this.#deps.urls, 'orphan');
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

  async #clearRecovered(
    databases: readonly ListedDatabase[],
    records: ReadonlyMap<OrganizationId, DatabaseRecord>,
  ): Promise<void> {
    const present = new Set(databases.map(({ name }) => name));
    for (const { organizationId, databaseName, lastError } of records.values()) {
      if (lastError === MISSING && present.has(databaseName))
        await this.#deps.ledger.noteError(organizationId, null);
    }
  }
}

/** A database that is being made, put aside or known by its stamp. */
const isOnRecord = (record: DatabaseRecord | undefined, identity: string | null): boolean => {
  if (record === undefined) return false;
  if (record.stamp === null) return record.state === 'retiring';
  return identity === formatIdentity({ ...record, stamp: record.stamp });
};

const isSpareOrTemplate = (label: string | null): boolean =>
  label !== null && /^(?:spare|template)\./.test(label);

/** The part of a spare's id that its name and its role's name hold. */
const spareIdIn = (label: string | null): string => label?.replace(/^\w+\./, '') ?? '';
