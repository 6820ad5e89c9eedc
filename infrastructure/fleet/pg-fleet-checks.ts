import { holdsResults } from '../../domain/databases/results-database.ts';
import { randomUUID } from 'node:crypto';
import {
  type DatabaseLedger,
  type DatabaseRecord,
} from '../../application/ports/databases/database-ledger.ts';
import type { Deployment } from '../../application/ports/databases/deployment.ts';
import type { DriftReport, FleetChecks, Rehearsal } from '../../application/ports/fleet/fleet-checks.ts';
import { formatIdentity } from '../../domain/databases/database-identity.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { allOf } from '../../domain/page.ts';
import type { MigrationSource } from '../migrations/migration-source.ts';
import { Migrator } from '../migrations/migrator.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import type { AdminSession } from '../servers/admin-session.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import type { ResultsServers } from '../servers/results-servers.ts';
import { compareCatalogues, READ_CATALOGUE, READ_FINGERPRINT, type CatalogueEntry } from './catalogue.ts';
import { explainFailure } from './migration-failure.ts';
import type { ObservedMigrator } from './pg-database-migrator.ts';

export interface FleetChecksDeps {
  readonly deployment: Deployment;
  readonly ledger: DatabaseLedger;
  readonly servers: ResultsServers;
  readonly migrations: MigrationSource;
  readonly migrator: ObservedMigrator;
  /** Databases of one server that are looked at together. */
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

/** An administrator's session that no other check shares, and its server. */
interface Site {
  readonly server: ResultsServer;
  readonly session: AdminSession;
}

const LOCK = 'databases of checks';

type Drifted = DriftReport['drifted'][number];
type Unreadable = DriftReport['unreadable'][number];

export class PgFleetChecks implements FleetChecks {
  readonly #deps: FleetChecksDeps;

  constructor(deps: FleetChecksDeps) {
    this.#deps = deps;
  }

  /** One check at a time on each server; the servers are looked at side by side, and one that is away delays no other. */
  async drift(only: ReadonlySet<OrganizationId> | null): Promise<DriftReport> {
    const records = await this.#records(only);
    const parts = await Promise.all(
      [...new Set(records.map(({ serverId }) => serverId))].map(async (serverId) => {
        const here = records.filter((record) => record.serverId === serverId);
        try {
          const server = this.#deps.servers.of(serverId);
          return await alone(server, (session) => this.#driftOn({ server, session }, here));
        } catch (error) {
          const reason = explainFailure(error, null).reason ?? '';
          return { drifted: [], unreadable: here.map(({ organizationId }) => ({ organizationId, reason })) };
        }
      }),
    );
    const unreadable = parts.flatMap((part) => part.unreadable);
    return {
      checked: records.length - unreadable.length,
      drifted: byId(parts.flatMap(({ drifted }) => drifted)),
      unreadable: byId(unreadable),
    };
  }

  async rehearse(only: readonly OrganizationId[], toVersion: number): Promise<readonly Rehearsal[]> {
    const rehearsals: Rehearsal[] = [];
    for (const organizationId of only) rehearsals.push(await this.#rehearse(organizationId, toVersion));
    return rehearsals;
  }

  async #driftOn(
    site: Site,
    records: readonly DatabaseRecord[],
  ): Promise<{ readonly drifted: readonly Drifted[]; readonly unreadable: readonly Unreadable[] }> {
    const references = new Map<number, Promise<Reference>>();
    const referenceOf = (version: number): Promise<Reference> => {
      const reference = references.get(version) ?? this.#buildReference(site, version);
      references.set(version, reference);
      return reference;
    };
    const drifted: Drifted[] = [];
    const unreadable: Unreadable[] = [];
    const left = [...records];
    const worker = async (): Promise<void> => {
      for (let record = left.shift(); record !== undefined; record = left.shift()) {
        const { organizationId } = record;
        try {
          const found = await this.#compare(site.server, record, referenceOf);
          if (found.differences.length > 0) drifted.push({ organizationId, ...found });
        } catch (error) {
          unreadable.push({ organizationId, reason: explainFailure(error, null).reason ?? '' });
        }
      }
    };
    await Promise.all(Array.from({ length: this.#deps.concurrency }, worker));
    return { drifted, unreadable };
  }

  #compare(
    server: ResultsServer,
    { databaseName, schemaVersion }: DatabaseRecord,
    referenceOf: (version: number) => Promise<Reference>,
  ): Promise<Omit<DriftReport['drifted'][number], 'organizationId'>> {
    return connected(server, databaseName, async (connection) => {
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

  async #buildReference({ server, session }: Site, version: number): Promise<Reference> {
    const { migrations } = this.#deps;
    const known = (await migrations.getMigrations()).length;
    if (version > known)
      throw new Error(`it is at schema version ${version}, and this release knows ${known}`);
    const name = server.names.check(randomUUID());
    try {
      await session.createEmpty(name);
      await new Migrator(migrations.upTo(version)).latest(server.urlFor(name));
      return await connected(server, name, async (connection) => {
        const [found] = await connection.query<Fingerprint>({ text: READ_FINGERPRINT, values: [] });
        return { fingerprint: found?.fingerprint ?? '', catalogue: await readCatalogue(connection) };
      });
    } finally {
      await session.drop(name);
    }
  }

  async #rehearse(organizationId: OrganizationId, toVersion: number): Promise<Rehearsal> {
    const { ledger, servers } = this.#deps;
    const record = await ledger.find(organizationId);
    const nothing = {
      ...NOTHING_DONE,
      organizationId,
      toVersion,
      fromVersion: record?.schemaVersion ?? null,
    };
    if (record === null || record.stamp === null || !holdsResults(record.state))
      return { ...nothing, reason: 'the organization has no database in service' };
    const identity = { ...record, stamp: record.stamp };
    try {
      const server = servers.of(record.serverId);
      return await alone(server, async (session) => ({
        ...nothing,
        ...(await this.#rehearseOn({ server, session }, identity, toVersion)),
      }));
    } catch (error) {
      return { ...nothing, reason: explainFailure(error, null).reason };
    }
  }

  async #rehearseOn(
    { server, session }: Site,
    record: DatabaseRecord & { readonly stamp: string },
    toVersion: number,
  ): Promise<Omit<Rehearsal, 'organizationId' | 'fromVersion' | 'toVersion'>> {
    const name = server.names.check(randomUUID());
    try {
      const copyMs = await timed(() => session.copy(record.databaseName, name));
      // What the migrator asks of every database. Its name is nobody's, so it is never served.
      const deploymentId = await this.#deps.deployment.id();
      await session.stampAndRename(name, name, formatIdentity({ ...record, deploymentId }));
      const bytesBefore = await session.sizeOf(name);
      const startedAt = performance.now();
      const target = { ...record, databaseName: name, toVersion };
      const { outcome, locks } = await this.#deps.migrator.migrateObserved(target);
      const migrateMs = performance.now() - startedAt;
      const bytesAfter = await session.sizeOf(name);
      const { reason, kind } = outcome;
      return {
        copyMs,
        migrateMs,
        bytesBefore,
        bytesAfter,
        outcome: kind === 'done' ? 'done' : 'failed',
        reason,
        locks,
      };
    } finally {
      await session.drop(name);
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

const NOTHING_DONE = {
  outcome: 'failed',
  copyMs: 0,
  migrateMs: 0,
  bytesBefore: 0,
  bytesAfter: 0,
  locks: [],
} as const;

/** Runs a check that no other process runs on the server, after a check that was broken off. */
const alone = <Result>(
  server: ResultsServer,
  work: (session: AdminSession) => Promise<Result>,
): Promise<Result> =>
  server.admin.exclusively(LOCK, async (session) => {
    for await (const { name } of allOf((page) => session.listDatabases(page))) {
      // Another check's: this session alone has the lock, so no process needs it.
      if (server.names.readInternal(name)?.kind === 'check') await session.drop(name);
    }
    return work(session);
  });

/** As the owner of the results databases, outside the pools but within the server's budget. */
const connected = async <Result>(
  server: ResultsServer,
  databaseName: string,
  work: (connection: PgConnection) => Promise<Result>,
): Promise<Result> => {
  const giveBack = await server.takeSlot();
  try {
    const connection = await server.connectAsOwner(databaseName);
    try {
      return await work(connection);
    } finally {
      await connection.close();
    }
  } finally {
    giveBack();
  }
};

const readCatalogue = (connection: PgConnection): Promise<readonly CatalogueEntry[]> =>
  connection.query<CatalogueEntry>({ text: READ_CATALOGUE, values: [] });

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

const byId = <Item extends { readonly organizationId: string }>(items: readonly Item[]): readonly Item[] =>
  items.toSorted((one, other) => (one.organizationId < other.organizationId ? -1 : 1));
