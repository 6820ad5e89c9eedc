import type { Change, ChangeSubscriber } from '../../application/ports/runtime/change-feed.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** A cache of placements. */
interface PlacementCache {
  /** The organization has moved to another server, or has another database. */
  forgetPlacement(organizationId: OrganizationId): void;
}

/**
 * Removes changed placements from a cache, so that the process reads the new one from the ledger before it opens a
 * connection to the old one. A missed change is harmless: every new connection checks the stamp. Decision 0014.
 */
export class PlacementWatch implements ChangeSubscriber {
  readonly #cache: PlacementCache;

  constructor(cache: PlacementCache) {
    this.#cache = cache;
  }

  reset(): void {}

  changed(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'placement') this.#cache.forgetPlacement(change.organizationId);
    }
  }
}
