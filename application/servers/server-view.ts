import type { ResultsServerRecord, ServerProblem } from '../../domain/databases/server.ts';
import type { DatabaseServers } from '../ports/databases/database-server.ts';

/** A server as operators see it: what is recorded of it, and what this process knows. */
export interface ServerView extends ResultsServerRecord {
  /** Whether this process has its address. */
  readonly isConfigured: boolean;
  /** Whether it answers this process now; false for a server without address. */
  readonly isAvailable: boolean;
  /** What this process has found wrong with it, although it answers. */
  readonly problems: readonly ServerProblem[];
  /** Connections to results databases there; null for a server without address. */
  readonly connections: ServerConnections | null;
}

/** Of this process. */
export interface ServerConnections {
  readonly open: number;
  /** This process's share of the budget. */
  readonly share: number;
  /** Organizations that wait for a connection, as the share is spent. */
  readonly waiting: number;
}

export const viewServer = (record: ResultsServerRecord, servers: DatabaseServers): ServerView => {
  const server = servers.list().find(({ serverId }) => serverId === record.serverId);
  return {
    ...record,
    isConfigured: server !== undefined,
    isAvailable: server?.isAvailable ?? false,
    problems: server?.problems.current ?? [],
    connections: server?.connections ?? null,
  };
};
