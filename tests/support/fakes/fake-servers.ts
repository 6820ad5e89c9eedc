import type {
  DatabaseServer,
  DatabaseServers,
} from '../../../application/ports/databases/database-server.ts';
import type { ServerLedger } from '../../../application/ports/databases/server-ledger.ts';
import { DatabaseNames } from '../../../domain/databases/database-names.ts';
import { DEFAULT_SERVER, type ResultsServerRecord, type ServerId } from '../../../domain/databases/server.ts';
import { DatabaseConnectionError } from '../../../domain/exceptions.ts';

/** The record of a server that nobody has changed yet. */
export const newServerRecord = (serverId: ServerId): ResultsServerRecord => ({
  serverId,
  status: 'active',
  weight: 100,
  maxDatabases: null,
  databases: 0,
  labels: {},
  systemIdentifier: null,
});

/** The ledger of servers in memory. */
export class FakeServerLedger implements ServerLedger {
  readonly records = new Map<ServerId, ResultsServerRecord>([
    [DEFAULT_SERVER, newServerRecord(DEFAULT_SERVER)],
  ]);
  readonly #timelines = new Map<ServerId, { systemIdentifier: string; timeline: number }>();
  readonly #databasesOn: (serverId: ServerId) => number;

  /** @param databasesOn counts the organizations' databases on a server */
  constructor(databasesOn: (serverId: ServerId) => number) {
    this.#databasesOn = databasesOn;
  }

  async list(): Promise<readonly ResultsServerRecord[]> {
    return [...this.records.values()]
      .map((record) => this.#counted(record))
      .toSorted((one, other) => (one.serverId < other.serverId ? -1 : 1));
  }

  async find(serverId: ServerId): Promise<ResultsServerRecord | null> {
    const record = this.records.get(serverId);
    return record === undefined ? null : this.#counted(record);
  }

  async register(serverIds: readonly ServerId[]): Promise<readonly ServerId[]> {
    const added = serverIds.filter((serverId) => !this.records.has(serverId));
    for (const serverId of added) this.records.set(serverId, newServerRecord(serverId));
    return added;
  }

  async identify(serverId: ServerId, systemIdentifier: string): Promise<ServerId | null> {
    const same = [...this.records.values()].find((record) => record.systemIdentifier === systemIdentifier);
    if (same !== undefined) return same.serverId === serverId ? null : same.serverId;
    const record = this.records.get(serverId);
    if (record !== undefined) this.records.set(serverId, { ...record, systemIdentifier });
    return null;
  }

  async noteTimeline(serverId: ServerId, systemIdentifier: string, timeline: number): Promise<number> {
    const known = this.#timelines.get(serverId);
    const latest =
      known?.systemIdentifier === systemIdentifier ? Math.max(known.timeline, timeline) : timeline;
    this.#timelines.set(serverId, { systemIdentifier, timeline: latest });
    return latest;
  }

  change: ServerLedger['change'] = async (serverId, changes) => {
    const record = this.records.get(serverId);
    if (record === undefined) return null;
    const changed = { ...record, ...changes };
    this.records.set(serverId, changed);
    return this.#counted(changed);
  };

  #counted(record: ResultsServerRecord): ResultsServerRecord {
    return { ...record, databases: this.#databasesOn(record.serverId) };
  }
}

const unexpected = (): never => {
  throw new Error('nothing is done on a server here');
};

/** A server that is only looked at. */
export const fakeServer = (serverId: ServerId, fields: Partial<DatabaseServer> = {}): DatabaseServer => ({
  serverId,
  names: new DatabaseNames('mad_results_{org_id}'),
  template: { current: null, ready: unexpected, invalidate: unexpected, grantRows: unexpected },
  hasRoles: false,
  connectionBudget: 80,
  isAvailable: true,
  problems: { current: [] },
  refusal: null,
  connections: { open: 3, share: 80, waiting: 0 },
  isBusy: false,
  exclusively: unexpected,
  attempt: unexpected,
  welcome: unexpected,
  migrate: unexpected,
  proveSchema: unexpected,
  ...fields,
});

/** The servers of a configuration; the default one at first. */
export class FakeServers implements DatabaseServers {
  readonly configured = [fakeServer(DEFAULT_SERVER)];

  of(serverId: ServerId): DatabaseServer {
    const server = this.configured.find((one) => one.serverId === serverId);
    if (server === undefined) throw new DatabaseConnectionError('This process is not configured for it.');
    return server;
  }

  list(): readonly DatabaseServer[] {
    return this.configured;
  }
}
