import type { ServerId } from '../../domain/databases/server.ts';

/**
 * Which PostgreSQL cluster each server of the configuration is, as far as this process has seen. Of several names for one
 * cluster the first of the configuration counts, whichever was reached first: it is the one that has the databases.
 */
export class KnownClusters {
  readonly #order: readonly ServerId[];
  readonly #seen = new Map<ServerId, string>();
  readonly #duplicates = new Set<ServerId>();

  /** @param order of the configuration */
  constructor(order: readonly ServerId[]) {
    this.#order = order;
  }

  /** Returns the servers that turn out to be duplicates with this, and were not known to be. */
  note(serverId: ServerId, systemIdentifier: string): readonly ServerId[] {
    this.#seen.set(serverId, systemIdentifier);
    const duplicates = this.#order.filter((one) => this.sameAs(one) !== null);
    const fresh = duplicates.filter((one) => !this.#duplicates.has(one));
    this.#duplicates.clear();
    for (const duplicate of duplicates) this.#duplicates.add(duplicate);
    return fresh;
  }

  /** An earlier server of the configuration that is the same cluster; null when there is none. */
  sameAs(serverId: ServerId): ServerId | null {
    const cluster = this.#seen.get(serverId);
    if (cluster === undefined) return null;
    return this.#before(serverId).find((one) => this.#seen.get(one) === cluster) ?? null;
  }

  /** Whether the server has been seen to be another cluster than this one. */
  isAnotherThan(serverId: ServerId, systemIdentifier: string | null): boolean {
    const cluster = this.#seen.get(serverId);
    return cluster !== undefined && cluster !== systemIdentifier;
  }

  clusterOf(serverId: ServerId): string | null {
    return this.#seen.get(serverId) ?? null;
  }

  /** The servers that come after this one in the configuration. */
  after(serverId: ServerId): readonly ServerId[] {
    return this.#order.slice(this.#order.indexOf(serverId) + 1);
  }

  #before(serverId: ServerId): readonly ServerId[] {
    return this.#order.slice(0, this.#order.indexOf(serverId));
  }
}
