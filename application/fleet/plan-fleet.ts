import { holdsResults } from '../../domain/databases/results-database.ts';
import type { FleetCandidate, PlannedItem } from '../ports/fleet/fleet-ledger.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** A number of organizations, or a share of those that are to be migrated. */
export type Quantity = { readonly count: number } | { readonly percent: number };

export interface PlanOptions {
  /** Schema version. */
  readonly target: number;
  /** Null: the whole fleet. */
  readonly only: ReadonlySet<OrganizationId> | null;
  /** Who goes first, alone: these, or as many as said. */
  readonly canaries: readonly OrganizationId[] | number;
  readonly waveSize: Quantity;
  /** Servers that do not answer now: their organizations come last, and none of them is a canary unless it is named. */
  readonly away?: ReadonlySet<ServerId>;
}

/**
 * Why an organization is left out.
 * - `current`: it has the version.
 * - `ahead`: it has a newer one; only a rollback takes it back.
 * - `not_ready`: its database is being made, has failed to be made, or is on its way out.
 * - `no_database`: it was named, and the ledger has no database of it.
 */
export type SkipReason = 'current' | 'ahead' | 'not_ready' | 'no_database';

export interface FleetPlan {
  readonly target: number;
  /** In the order of the waves. */
  readonly items: readonly PlannedItem[];
  readonly skipped: readonly { readonly organizationId: OrganizationId; readonly reason: SkipReason }[];
  /** Number of organizations of each wave; the first one are the canaries. */
  readonly waves: readonly number[];
}

/** Says what would run where, from the ledger alone. Pure. */
export const planFleet = (candidates: readonly FleetCandidate[], options: PlanOptions): FleetPlan => {
  const { target, only } = options;
  const skipped: { organizationId: OrganizationId; reason: SkipReason }[] = [];
  const behind: Behind[] = [];
  const known = new Set<OrganizationId>();
  for (const { organizationId, serverId, state, schemaVersion, urgent } of candidates) {
    if (only?.has(organizationId) === false) continue;
    known.add(organizationId);
    if (schemaVersion === null || !holdsResults(state)) {
      skipped.push({ organizationId, reason: 'not_ready' });
    } else if (schemaVersion < target) {
      const isAway = options.away?.has(serverId) === true;
      behind.push({ organizationId, urgent, fromVersion: schemaVersion, toVersion: target, isAway });
    } else {
      skipped.push({ organizationId, reason: schemaVersion === target ? 'current' : 'ahead' });
    }
  }
  for (const organizationId of only ?? []) {
    if (!known.has(organizationId)) skipped.push({ organizationId, reason: 'no_database' });
  }
  const items = intoWaves(behind, options);
  return { target, items, skipped, waves: sizesOf(items) };
};

/** The quantity as a number of organizations; a share is rounded up. */
export const amountOf = (quantity: Quantity, total: number): number =>
  'count' in quantity ? quantity.count : Math.ceil((total * quantity.percent) / 100);

interface Behind extends Omit<PlannedItem, 'wave'> {
  readonly isAway: boolean;
}

const intoWaves = (behind: readonly Behind[], { canaries, waveSize }: PlanOptions): PlannedItem[] => {
  const named = new Set(typeof canaries === 'number' ? [] : canaries);
  const rank = (item: Behind): number =>
    named.has(item.organizationId) ? 0 : item.isAway ? 3 : item.urgent ? 1 : 2;
  // Stable: within a rank the order stays that of the candidates.
  const ordered = behind.toSorted((one, other) => rank(one) - rank(other));
  const first =
    typeof canaries === 'number' ? canaries : ordered.filter((item) => named.has(item.organizationId)).length;
  const size = Math.max(1, amountOf(waveSize, ordered.length));
  return ordered.map(({ organizationId, urgent, fromVersion, toVersion }, index) => ({
    organizationId,
    urgent,
    fromVersion,
    toVersion,
    wave: index < first ? 0 : 1 + Math.floor((index - first) / size),
  }));
};

const sizesOf = (items: readonly PlannedItem[]): number[] => {
  const sizes: number[] = [];
  for (const { wave } of items) {
    while (sizes.length <= wave) sizes.push(0);
    sizes[wave] = (sizes[wave] ?? 0) + 1;
  }
  return sizes;
};
