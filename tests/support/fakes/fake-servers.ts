import type { ServerChanges, ServerLedger } from '../../../application/ports/databases/server-ledger.ts';
import { DEFAULT_SERVER, type ResultsServerRecord, type ServerId } from '../../../domain/databases/server.ts';

const registered = (serverId: ServerId): ResultsServerRecord => ({
  serverId,
  status: 'active',
  weight: 100,
  maxDatabases: null,
  databases: 0,
  labels: {},
  systemIdentifier: null,
});

/** The servers of a deployment in memory; the default one is there from the start. */
export class FakeServerLedger implements ServerLedger {
  readonly records = new Map<ServerId, ResultsServerRecord>([[DEFAULT_SERVER, registered(DEFAULT_SERVER)]]);

  async list(): Promise<readonly ResultsServerRecord[]> {
    return [...this.records.values()].toSorted((one, other) => (one.serverId < other.serverId ? -1 : 1));
  }

  async register(serverIds: readonly ServerId[]): Promise<readonly ServerId[]> {
    const added = serverIds.filter((serverId) => !this.records.has(serverId));
    for (const serverId of added) this.records.set(serverId, registered(serverId));
    return added;
  }

  async identify(serverId: ServerId, systemIdentifier: string): Promise<ServerId | null> {
    const same = [...this.records.values()].find((record) => record.systemIdentifier === systemIdentifier);
    if (same !== undefined && same.serverId !== serverId) return same.serverId;
    this.#set(serverId, { systemIdentifier });
    return null;
  }

  async change(serverId: ServerId, changes: ServerChanges): Promise<ResultsServerRecord | null> {
    return this.#set(serverId, changes);
  }

  #set(serverId: ServerId, fields: Partial<ResultsServerRecord>): ResultsServerRecord | null {
    const record = this.records.get(serverId);
    if (record === undefined) return null;
    const changed = { ...record, ...fields };
    this.records.set(serverId, changed);
    return changed;
  }
}
