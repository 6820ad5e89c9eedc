import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { DatabaseLedger, DatabaseRecord } from '../../application/ports/databases/database-ledger.ts';
import { holdsResults } from '../../domain/databases/results-database.ts';
import type { DriftReport, FleetChecks, Rehearsal } from '../../application/ports/fleet/fleet-checks.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { allOf } from '../../domain/page.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import type { ResultsUrlTemplate } from '../postgres/results-url-template.ts';
import type { MigrationSource } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import { formatIdentity } from '../../domain/databases/database-identity.ts';
import { checkName, readInternalName } from '../servers/internal-names.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import type { ServerSession } from '../servers/server-session.ts';
import { compareCatalogues, READ_CATALOGUE, READ_FINGERPRINT, type CatalogueEntry } from './catalogue.ts';
import type { ConnectionSlots } from './connection-slots.ts';
import { explainFailure } from './migration-failure.ts';
import type { ObservedMigrator } from './pg-database-migrator.ts';

export interface FleetChecksDeps {
  readonly deployment: Deployment;
  readonly ledger: DatabaseLedger;
  readonly server: ResultsServer;
  readonly urls: ResultsUrlTemplate;
  readonly migrations: MigrationSource;
  /** As the owner of the results databases, outside the pools. */
  readonly connect: (databaseName: string) => Promise<PgConnection>;
  readonly slots: ConnectionSlots;
  readonly migrator: ObservedMigrator;
  /** Databases looked at together. */
  readonly concurrency: number;
}

/** What the migrations make of an empty database. */
interface Reference {
  readonly fingerprint: string;
  readonly catalogue: readonly CatalogueEntry[];
}

interface Fingerprint {
  readonly fingerprint: string;
  readonly version: number;
}

const LOCK = 'databases of checks';

export class PgFleetChecks implements FleetChecks {
  readonly #deps: FleetChecksDeps;

  constructor(deps: FleetChecksDeps) {
    this.#deps = deps;
  }

  drift(only: ReadonlySet<OrganizationId> | null): Promise<DriftReport> {
    return this.#alone(async (session) => {
      const records = await this.#records(only);
      const references = new Map<number, Promise<Reference>>();
      const referenceOf = (version: number): Promise<Reference> => {
        const reference = references.get(version) ?? this.#buildReference(session, version);
        references.set(version, reference);
        return reference;
      };
      const drifted: DriftReport['drifted'][number][] = [];
      const unreadable: DriftReport['unreadable'][number][] = [];
      const left = [...records];
      const worker = async (): Promise<void> => {
        for (let record = left.shift(); record !== undefined; record = left.shift()) {
          const { organizationId } = record;
          try {
            const found = await this.#compare(record, referenceOf);
            if (found.differences.length > 0) drifted.push({ organizationId, ...found });
          } catch (error) {
            unreadable.push({ organizationId, reason: explainFailure(error, null).reason ?? '' });
          }
        }
      };
      await Promise.all(Array.from({ length: this.#deps.concurrency }, worker));
      return {
        checked: records.length - unreadable.length,
        drifted: byId(drifted),
        unreadable: byId(unreadable),
      };
    });
  }

  rehearse(only: readonly OrganizationId[], toVersion: number): Promise<readonly Rehearsal[]> {
    return this.#alone(async (session) => {
      const rehearsals: Rehearsal[] = [];
      for (const organizationId of only) {
        rehearsals.push(await this.#rehearse(session, organizationId, toVersion));
      }
      return rehearsals;
    });
  }

  #alone<Result>(work: (session: ServerSession) => Promise<Result>): Promise<Result> {
    return this.#deps.server.exclusively(LOCK, async (session) => {
      for (const { name } of await session.listDatabases()) {
        // Another check's: whoever has the lock is alone, so nobody needs it any more.
        if (readInternalName(this.#deps.urls, name)?.kind === 'check') await session.drop(name);
      }
      return work(session);
    });
  }

  async #compare(
    { databaseName, schemaVersion }: DatabaseRecord,
    referenceOf: (version: number) => Promise<Reference>,
  ): Promise<Omit<DriftReport['drifted'][number], 'organizationId'>> {
    return this.#connected(databaseName, async (connection) => {
      const [found] = await connection.query<Fingerprint>({ text: READ_FINGERPRINT, values: [] });
      if (found === undefined) throw new Error('a query without a condition returned no row');
      const reference = await referenceOf(found.version);
      const differences =
        found.fingerprint === reference.fingerprint
          ? []
          : compareCatalogues(reference.catalogue, await readCatalogue(connection));
      // The ledger is part of the truth that may have moved.
      const ledger =
        found.version === schemaVersion
          ? []
          : [
              {
                kind: 'changed' as const,
                object: 'schema version',
                expected: `${schemaVersion} by the ledger`,
                found: `${found.version} by its history`,
              },
            ];
      return { schemaVersion: found.version, differences: [...ledger, ...differences] };
    });
  }

  async #buildReference(session: ServerSession, version: number): Promise<Reference> {
    const { urls, migrations } = this.#deps;
    const known = (await migrations.getMigrations()).length;
    if (version > known)
      throw new Error(`it is at schema version ${version}, and this release knows ${known}`);
    const name = checkName(this.#deps.urls);
    try {
      await session.createEmpty(name);
      await new Migrator(migrations.upTo(version)).latest(urls.urlForDatabase(name));
      return await this.#connected(name, async (connection) => {
        const [found] = await connection.query<Fingerprint>({ text: READ_FINGERPRINT, values: [] });
        return { fingerprint: found?.fingerprint ?? '', catalogue: await readCatalogue(connection) };
      });
    } finally {
      await session.drop(name);
    }
  }

  async #rehearse(
    session: ServerSession,
    organizationId: OrganizationId,
    toVersion: number,
  ): Promise<Rehearsal> {
    const { ledger, migrator } = this.#deps;
    const name = checkName(this.#deps.urls);
    const rehearsal = { organizationId, toVersion, copyMs: 0, migrateMs: 0, bytesBefore: 0, bytesAfter: 0 };
    const record = await ledger.find(organizationId);
    const fromVersion = record?.schemaVersion ?? null;
    if (record === null || record.stamp === null || !holdsResults(record.state)) {
      const reason = 'the organization has no database in service';
      return { ...rehearsal, fromVersion, outcome: 'failed', reason, locks: [] };
    }
    const { stamp, generation } = record;
    try {
      const copyMs = await timed(() => session.copy(record.databaseName, name));
      // What the migrator asks of every database. Its name is nobody's, so it is never served.
      const deploymentId = await this.#deps.deployment.id();
      await session.adopt(name, name, formatIdentity({ deploymentId, organizationId, stamp, generation }));
      const bytesBefore = await session.sizeOf(name);
      const startedAt = performance.now();
      const { outcome, locks } = await migrator.migrateObserved({
        organizationId,
        databaseName: name,
        stamp,
        generation,
        toVersion,
      });
      const migrateMs = performance.now() - startedAt;
      const bytesAfter = await session.sizeOf(name);
      const { reason } = outcome;
      const result = outcome.kind === 'done' ? 'done' : 'failed';
      return {
        ...rehearsal,
        copyMs,
        migrateMs,
        bytesBefore,
        bytesAfter,
        fromVersion,
        outcome: result,
        reason,
        locks,
      };
    } catch (error) {
      const { reason } = explainFailure(error, null);
      return { ...rehearsal, fromVersion, outcome: 'failed', reason, locks: [] };
    } finally {
      await session.drop(name);
    }
  }

  async #connected<Result>(
    databaseName: string,
    work: (connection: PgConnection) => Promise<Result>,
  ): Promise<Result> {
    const giveBack = await this.#deps.slots.take();
    try {
      const connection = await this.#deps.connect(databaseName);
      try {
        return await work(connection);
      } finally {
        await connection.close();
      }
    } finally {
      giveBack();
    }
  }

  async #records(only: ReadonlySet<OrganizationId> | null): Promise<readonly DatabaseRecord[]> {
    const records: DatabaseRecord[] = [];
    for await (const record of allOf((page) => this.#deps.ledger.list({ state: null }, page))) {
      if (holdsResults(record.state) && only?.has(record.organizationId) !== false) records.push(record);
    }
    return records;
  }
}

const readCatalogue = (connection: PgConnection): Promise<readonly CatalogueEntry[]> =>
  connection.query<CatalogueEntry>({ text: READ_CATALOGUE, values: [] });

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

const byId = <Item extends { readonly organizationId: string }>(items: readonly Item[]): readonly Item[] =>
  items.toSorted((one, other) => (one.organizationId < other.organizationId ? -1 : 1));
