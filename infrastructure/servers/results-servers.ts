import type { DatabaseServers } from '../../application/ports/databases/database-server.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { mergeReports, type RunReport } from '../timing/periodic.ts';
import type { ResultsServer } from './results-server.ts';

/** The servers of the configuration. A placement is the only key to one of them. */
export class ResultsServers implements DatabaseServers {
  readonly #servers: ReadonlyMap<ServerId, ResultsServer>;

  constructor(servers: readonly ResultsServer[]) {
    this.#servers = new Map(servers.map((server) => [server.serverId, server]));
  }

  of(serverId: ServerId): ResultsServer {
    const server = this.#servers.get(serverId);
    if (server === undefined)
      throw new DatabaseConnectionError(`This process is not configured for the server "${serverId}".`);
    return server;
  }

  list(): readonly ResultsServer[] {
    return [...this.#servers.values()];
  }

  /** Connections to results databases that this process holds, opens or closes, on all servers. */
  get connections(): number {
    return this.list().reduce((sum, { budget }) => sum + budget.taken, 0);
  }

  /** One sign of life on each server. Never rejects. */
  async run(): Promise<void> {
    await Promise.all(this.list().map(({ share }) => share.heartbeat()));
  }

  /** Of the signs of life on all servers. */
  get report(): RunReport {
    return mergeReports(this.list().map(({ share }) => share.report));
  }

  /**
   * Joins the processes that share each server. Resolves when one server answers, or all have been tried: a server that
   * hangs delays nobody. Until its own share is known, a server gives no connection.
   */
  async start(): Promise<void> {
    const answers = this.list().map(async (server) => {
      await server.start();
      if (server.breaker.isFailing) throw new Error(`the server "${server.serverId}" does not answer`);
    });
    await Promise.any(answers).catch(() => undefined);
  }

  /** As `start`, for a command that acts on every server: resolves when it is known of each whether it answers. */
  async startAll(): Promise<void> {
    await Promise.all(this.list().map((server) => server.start()));
  }

  closeIdleSince(before: number): void {
    for (const server of this.list()) server.closeIdleSince(before);
  }

  async close(): Promise<void> {
    await Promise.all(this.list().map((server) => server.close()));
  }
}
