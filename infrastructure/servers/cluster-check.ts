import type { ServerLedger } from '../../application/ports/databases/server-ledger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { ClusterState } from '../postgres/cluster-history.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { withDeadline } from '../timing/with-deadline.ts';
import type { KnownClusters } from './known-clusters.ts';

export interface ClusterCheckDeps {
  readonly serverId: ServerId;
  readonly ledger: Pick<ServerLedger, 'identify' | 'noteTimeline'>;
  /** Of this process; all its servers share it. */
  readonly clusters: KnownClusters;
  readonly logger: Logger;
}

/** The metadata database may be away. Then the next connection asks again. */
const LEDGER_DEADLINE_MS = 1000;

/**
 * Finds out whether the server is a PostgreSQL cluster that is known under another name already. Two names for one cluster
 * would share its connections and limits unseen, and a database could be counted, and reconciled, twice.
 */
export class ClusterCheck {
  readonly #deps: ClusterCheckDeps;
  /** The server that the ledger knows as this cluster. */
  #recordedAs: ServerId | null = null;
  #compared: Promise<void> = Promise.resolve();

  constructor(deps: ClusterCheckDeps) {
    this.#deps = deps;
  }

  /** Why nothing of the server may be used; null when it may. */
  get refusal(): DatabaseConnectionError | null {
    const other = this.#sameAs;
    if (other === null) return null;
    return new DatabaseConnectionError(
      `The server "${this.#deps.serverId}" is the same cluster as "${other}".`,
    );
  }

  /** Resolves when the ledger has answered to the last look, or its deadline is over. Never rejects. */
  get compared(): Promise<void> {
    return this.#compared;
  }

  /**
   * Call it for each new connection that is not an organization's: what is behind an address may change. Does not wait for
   * the ledger: the server answers, however busy the metadata database is. Never rejects.
   */
  look(connection: Pick<PgConnection, 'cluster' | 'learn'>): void {
    const { serverId, clusters } = this.#deps;
    const { systemIdentifier, timeline } = connection.cluster;
    if (systemIdentifier === null) return;
    for (const duplicate of clusters.note(serverId, systemIdentifier))
      this.#tell(duplicate, clusters.sameAs(duplicate));
    this.#compared = this.#compare(systemIdentifier, timeline, (known) => connection.learn(known));
  }

  async #compare(
    systemIdentifier: string,
    timeline: number | null,
    learn: (known: ClusterState) => void,
  ): Promise<void> {
    const { serverId, ledger, clusters, logger } = this.#deps;
    try {
      const identified = ledger.identify(serverId, systemIdentifier, clusters.after(serverId));
      const other = await withDeadline(identified, LEDGER_DEADLINE_MS);
      const isNew = other !== null && this.#sameAs === null;
      this.#recordedAs = other;
      if (isNew) this.#tell(serverId, this.#sameAs);
      if (timeline === null) return;
      // Another process may have seen a later one, on a server that has replaced this one.
      const noted = ledger.noteTimeline(serverId, systemIdentifier, timeline);
      learn({ systemIdentifier, timeline: await withDeadline(noted, LEDGER_DEADLINE_MS) });
    } catch (error) {
      logger.write('server.cluster_unknown', { err: error, server: serverId });
    }
  }

  get #sameAs(): ServerId | null {
    const { serverId, clusters } = this.#deps;
    const known = clusters.sameAs(serverId);
    if (known !== null || this.#recordedAs === null) return known;
    // The ledger may not know yet that the other name leads elsewhere now.
    return clusters.isAnotherThan(this.#recordedAs, clusters.clusterOf(serverId)) ? null : this.#recordedAs;
  }

  #tell(server: ServerId, sameAs: ServerId | null): void {
    if (sameAs === null) return;
    this.#deps.logger.write('server.same_cluster', { server, same_as: sameAs });
  }
}
