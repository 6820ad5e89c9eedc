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
  /** The first thousand of each reason: a fleet of a million that is up to date is not listed. */
  readonly skipped: readonly { readonly organizationId: OrganizationId; readonly reason: SkipReason }[];
  readonly skippedCounts: Readonly<Record<SkipReason, number>>;
  /** Number of organizations of each wave; the first one are the canaries. */
  readonly waves: readonly number[];
}

const MAX_LISTED = 1000;

type Item = { -readonly [Field in keyof PlannedItem]: PlannedItem[Field] };

/** Says what would run where, from the ledger alone. Pure. */
export const planFleet = (candidates: Iterable<FleetCandidate>, options: PlanOptions): FleetPlan => {
  const planning = new FleetPlanning(options);
  for (const candidate of candidates) planning.add(candidate);
  return planning.finish();
};

/** As `planFleet`, for candidates that come one after another. Keeps those that are behind, and counts the others. */
export class FleetPlanning {
  readonly #options: PlanOptions;
  readonly #named: ReadonlySet<OrganizationId>;
  /** Those that are behind, the first to be migrated first; within a rank in the order of the candidates. */
  readonly #ranks: readonly [Item[], Item[], Item[], Item[]] = [[], [], [], []];
  readonly #skipped: { organizationId: OrganizationId; reason: SkipReason }[] = [];
  readonly #counts: Record<SkipReason, number> = { current: 0, ahead: 0, not_ready: 0, no_database: 0 };
  /** Those of `only` that the ledger has. */
  readonly #known = new Set<OrganizationId>();

  constructor(options: PlanOptions) {
    this.#options = options;
    this.#named = new Set(typeof options.canaries === 'number' ? [] : options.canaries);
  }

  add({ organizationId, serverId, state, schemaVersion, urgent }: FleetCandidate): void {
    const { target, only, away } = this.#options;
    if (only !== null) {
      if (!only.has(organizationId)) return;
      this.#known.add(organizationId);
    }
    if (schemaVersion === null || !holdsResults(state)) this.#skip(organizationId, 'not_ready');
    else if (schemaVersion >= target)
      this.#skip(organizationId, schemaVersion === target ? 'current' : 'ahead');
    else {
      const rank = this.#named.has(organizationId) ? 0 : away?.has(serverId) === true ? 3 : urgent ? 1 : 2;
      this.#ranks[rank].push({
        organizationId,
        urgent,
        fromVersion: schemaVersion,
        toVersion: target,
        wave: 0,
      });
    }
  }

  finish(): FleetPlan {
    const { target, only } = this.#options;
    for (const organizationId of only ?? [])
      if (!this.#known.has(organizationId)) this.#skip(organizationId, 'no_database');
    const items = this.#intoWaves();
    return {
      target,
      items,
      skipped: this.#skipped,
      skippedCounts: this.#counts,
      waves: sizesOf(items),
    };
  }

  /** The items as they are, in place of copies: there may be a million. */
  #intoWaves(): readonly PlannedItem[] {
    const { canaries, waveSize } = this.#options;
    const items = this.#ranks.flat();
    const first = typeof canaries === 'number' ? canaries : this.#ranks[0].length;
    const size = Math.max(1, amountOf(waveSize, items.length));
    for (const [index, item] of items.entries())
      item.wave = index < first ? 0 : 1 + Math.floor((index - first) / size);
    return items;
  }

  #skip(organizationId: OrganizationId, reason: SkipReason): void {
    this.#counts[reason] += 1;
    if (this.#counts[reason] <= MAX_LISTED) this.#skipped.push({ organizationId, reason });
  }
}

/** The quantity as a number of organizations; a share is rounded up. */
export const amountOf = (quantity: Quantity, total: number): number =>
  'count' in quantity ? quantity.count : Math.ceil((total * quantity.percent) / 100);

const sizesOf = (items: readonly PlannedItem[]): number[] => {
  const sizes: number[] = [];
  for (const { wave } of items) {
    while (sizes.length <= wave) sizes.push(0);
    sizes[wave] = (sizes[wave] ?? 0) + 1;
  }
  return sizes;
};
