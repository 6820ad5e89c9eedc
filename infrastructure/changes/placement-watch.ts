import type { Change, ChangeSubscriber } from '../../application/ports/runtime/change-feed.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** What keeps placements in memory. */
interface PlacementHolder {
  /** The organization's database is elsewhere now, or another one. */
  forgetPlacement(organizationId: OrganizationId): void;
}

/**
 * Tells of databases that are another one now, so that a process learns it from the ledger and not from a refused login.
 * What the feed may have missed does no harm: every new connection checks the stamp.
 */
export class PlacementWatch implements ChangeSubscriber {
  readonly #holder: PlacementHolder;

  constructor(holder: PlacementHolder) {
    this.#holder = holder;
  }

  reset(): void {}

  changed(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'placement') this.#holder.forgetPlacement(change.organizationId);
    }
  }
}
