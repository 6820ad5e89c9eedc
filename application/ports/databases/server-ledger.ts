import type {
  ResultsServerRecord,
  ServerId,
  ServerLabels,
  ServerStatus,
} from '../../../domain/databases/server.ts';

/** What an operator changes of a server. What is left out stays. */
export interface ServerChanges {
  readonly status?: ServerStatus;
  readonly weight?: number;
  /** Null: no limit. */
  readonly maxDatabases?: number | null;
  /** All of them: the former ones go. */
  readonly labels?: ServerLabels;
}

/** The operators' side of the servers, shared by all processes. How they are reached, each process's configuration says. */
export interface ServerLedger {
  /** In the order of their ids. */
  list(): Promise<readonly ResultsServerRecord[]>;
  find(serverId: ServerId): Promise<ResultsServerRecord | null>;
  /** Records servers that are not recorded yet, as active; returns those. */
  register(serverIds: readonly ServerId[]): Promise<readonly ServerId[]>;
  /**
   * Records which PostgreSQL cluster a server is.
   *
   * @param overruled servers that lose the cluster to this one, if the ledger has it as one of them; none by default
   * @returns the other server that is the same cluster; then nothing is changed. Null: there is none.
   */
  identify(
    serverId: ServerId,
    systemIdentifier: string,
    overruled?: readonly ServerId[],
  ): Promise<ServerId | null>;
  /**
   * Records a timeline that a server was seen to write.
   *
   * @returns the latest one that any process has seen that cluster write under this name
   */
  noteTimeline(serverId: ServerId, systemIdentifier: string, timeline: number): Promise<number>;
  /** Null when there is no such server. */
  change(serverId: ServerId, changes: ServerChanges): Promise<ResultsServerRecord | null>;
}
