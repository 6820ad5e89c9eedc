import type { DatabaseHealth, HealthCheck } from '../../application/ports/databases/health-check.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import type { ConnectionPool } from '../pools/connection-pool.ts';
import type { ControlConnection } from '../servers/control-connection.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import type { ResultsServers } from '../servers/results-servers.ts';
import type { DatabaseConnectionManager } from './database-connection-manager.ts';

export interface DatabaseHealthDeps {
  readonly manager: Pick<DatabaseConnectionManager, 'openPools'>;
  readonly servers: ResultsServers;
  readonly metadataControl: ControlConnection;
}

type OpenPool = { readonly placement: Placement; readonly pool: ConnectionPool };

const IS_THERE = { text: 'select', values: [] };

/** Asks each server one question for all of its live pools, on the server's control connection. */
export class DatabaseHealthCheck implements HealthCheck {
  readonly #deps: DatabaseHealthDeps;
  #running: Promise<DatabaseHealth> | null = null;

  constructor(deps: DatabaseHealthDeps) {
    this.#deps = deps;
  }

  /** Callers that come while the databases are being asked share the answer: nobody queues. */
  check(): Promise<DatabaseHealth> {
    this.#running ??= this.#check().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #check(): Promise<DatabaseHealth> {
    const { manager, servers, metadataControl } = this.#deps;
    const pools = [...manager.openPools()];
    const [metadata, ...answers] = await Promise.all([
      metadataControl.ask(IS_THERE),
      ...servers.list().map((server) =>
        checkServer(
          server,
          pools.filter(({ placement }) => placement.serverId === server.serverId),
        ),
      ),
    ]);
    return {
      metadata: metadata !== null,
      servers: Object.fromEntries(answers.map(({ serverId, isHealthy }) => [serverId, isHealthy])),
      serverProblems: Object.fromEntries(
        servers
          .list()
          .filter(({ problems }) => problems.current.length > 0)
          .map(({ serverId, problems }) => [serverId, problems.current]),
      ),
      organizations: Object.fromEntries(answers.flatMap(({ organizations }) => organizations)),
    };
  }
}

/**
 * Only a pool whose last connect failed is tried itself. A server that was silent half a second ago is not asked: the
 * answer for the other servers would wait for it.
 */
const checkServer = async (server: ResultsServer, pools: readonly OpenPool[]) => {
  const rows = server.share.isSilent
    ? null
    : await server.control.ask<{ datname: string }>(
        pools.length === 0
          ? IS_THERE
          : {
              text: 'select datname from pg_database where datallowconn and datconnlimit <> 0 and datname = any($1)',
              values: [pools.map(({ pool }) => pool.databaseName)],
            },
      );
  const present = new Set(rows?.map(({ datname }) => datname));
  const organizations = await Promise.all(
    pools.map(async ({ placement, pool }): Promise<[string, boolean]> => [
      placement.organizationId,
      present.has(pool.databaseName) && (await pool.recovers()),
    ]),
  );
  return { serverId: server.serverId, isHealthy: rows !== null, organizations };
};
