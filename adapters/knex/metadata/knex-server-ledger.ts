import type { ServerChanges, ServerLedger } from '../../../application/ports/databases/server-ledger.ts';
import type { ResultsServerRecord, ServerId } from '../../../domain/databases/server.ts';
import { isViolation, UNIQUE_VIOLATION } from '../postgres-error.ts';
import type { SqlExecutor } from '../statement.ts';
import {
  changeServer,
  findServer,
  identifyServer,
  listServers,
  noteTimeline,
  releaseCluster,
  registerServers,
  toServerRecord,
} from './server-statements.ts';

export class KnexServerLedger implements ServerLedger {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async list(): Promise<readonly ResultsServerRecord[]> {
    return (await this.#executor.query(listServers({}))).map(toServerRecord);
  }

  async find(serverId: ServerId): Promise<ResultsServerRecord | null> {
    const [row] = await this.#executor.query(findServer({ serverId }));
    return row === undefined ? null : toServerRecord(row);
  }

  async register(serverIds: readonly ServerId[]): Promise<readonly ServerId[]> {
    return (await this.#executor.query(registerServers({ serverIds }))).map((row) => row.server_id);
  }

  async identify(
    serverId: ServerId,
    systemIdentifier: string,
    overruled: readonly ServerId[] = [],
  ): Promise<ServerId | null> {
    try {
      if (overruled.length > 0)
        await this.#executor.query(releaseCluster({ systemIdentifier, serverIds: overruled }));
      await this.#executor.query(identifyServer({ serverId, systemIdentifier }));
      return null;
    } catch (error) {
      if (!isViolation(error, UNIQUE_VIOLATION, 'results_servers_system_identifier_key')) throw error;
      const same = (await this.list()).find((record) => record.systemIdentifier === systemIdentifier);
      if (same === undefined) return null;
      // It was identified between the two statements. Were it believed, neither of the two names would be used.
      if (overruled.includes(same.serverId)) return this.identify(serverId, systemIdentifier, overruled);
      return same.serverId;
    }
  }

  async noteTimeline(serverId: ServerId, systemIdentifier: string, timeline: number): Promise<number> {
    const [row] = await this.#executor.query(noteTimeline({ serverId, systemIdentifier, timeline }));
    return row?.timeline ?? timeline;
  }

  async change(serverId: ServerId, changes: ServerChanges): Promise<ResultsServerRecord | null> {
    const { status = null, weight = null, maxDatabases, labels } = changes;
    const [row] = await this.#executor.query(
      changeServer({
        serverId,
        status,
        weight,
        setsMaxDatabases: maxDatabases !== undefined,
        maxDatabases: maxDatabases ?? null,
        labels: labels === undefined ? null : JSON.stringify(labels),
      }),
    );
    return row === undefined ? null : toServerRecord(row);
  }
}
