import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';
import type { Change, ChangeFeed, ChangeSubscriber } from '../ports/runtime/change-feed.ts';
import type { OrganizationPolicies } from '../ports/runtime/organization-policies.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { policyFrom, type OrganizationPolicy } from '../../domain/organizations/organization-policy.ts';
import type { OrganizationControls } from '../../domain/organizations/organization-repository.ts';
import { StaleWhileRevalidate } from '../stale-while-revalidate.ts';

const EMPTY: OrganizationPolicy = Object.freeze({});

/** While the feed of changes is behind, an organization is read again after this time. */
const FRESH_WITHOUT_FEED_MS = 2000;

export interface OrganizationWatchDeps {
  readonly organizations: Pick<MetadataDatabase['organizations'], 'listControls'>;
  readonly feed: ChangeFeed;
  /** Monotonic, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  /** How long a request waits for a late answer of the metadata database. Default: 2000. */
  readonly patienceMs?: number;
}

/**
 * Caches which organizations are suspended and which have settings. It stores only those, few among many; the others
 * need no query either. It is empty until the feed of changes has begun. Decisions 0014, 0027 and 0041.
 */
export class OrganizationWatch implements OrganizationPolicies, ChangeSubscriber {
  readonly #deps: OrganizationWatchDeps;
  /** Remembers when an organization was read last without the feed. */
  readonly #confirmations: StaleWhileRevalidate<true>;
  #suspended: ReadonlySet<OrganizationId> = new Set();
  #policies: ReadonlyMap<OrganizationId, OrganizationPolicy> = new Map();
  /** How many times the feed has changed what is known. */
  #told = 0;

  /** Subscribes to the feed. */
  constructor(deps: OrganizationWatchDeps) {
    this.#deps = deps;
    this.#confirmations = new StaleWhileRevalidate({
      // `confirm` alone gives keys, and they are ids.
      look: (key) => this.#read(key as OrganizationId),
      freshForMs: () => FRESH_WITHOUT_FEED_MS,
      now: deps.now ?? (() => performance.now()),
      patienceMs: deps.patienceMs,
    });
    deps.feed.subscribe(this);
  }

  policyOf(organizationId: OrganizationId): OrganizationPolicy {
    return this.#policies.get(organizationId) ?? EMPTY;
  }

  isSuspended(organizationId: OrganizationId): boolean {
    return this.#suspended.has(organizationId);
  }

  confirm(organizationId: OrganizationId): Promise<unknown> | undefined {
    return this.#deps.feed.isCurrent ? undefined : this.#confirmations.get(organizationId, true);
  }

  async reset(): Promise<void> {
    const controls = await this.#deps.organizations.listControls(null);
    this.#told += 1;
    this.#suspended = new Set();
    this.#policies = new Map();
    this.#add(controls);
  }

  async changed(changes: readonly Change[]): Promise<void> {
    const touched = new Set(
      changes.flatMap((change) =>
        change.kind === 'organization' || change.kind === 'settings' ? [change.organizationId] : [],
      ),
    );
    if (touched.size === 0) return;
    const controls = await this.#deps.organizations.listControls([...touched]);
    this.#told += 1;
    this.#replace(touched, controls);
  }

  async #read(organizationId: OrganizationId): Promise<true> {
    const told = this.#told;
    const controls = await this.#deps.organizations.listControls([organizationId]);
    // What the feed has made known meanwhile is newer than this answer.
    if (told === this.#told) this.#replace(new Set([organizationId]), controls);
    return true;
  }

  #replace(touched: ReadonlySet<OrganizationId>, controls: readonly OrganizationControls[]): void {
    this.#suspended = new Set([...this.#suspended].filter((id) => !touched.has(id)));
    this.#policies = new Map([...this.#policies].filter(([id]) => !touched.has(id)));
    this.#add(controls);
  }

  #add(controls: readonly OrganizationControls[]): void {
    const suspended = new Set(this.#suspended);
    const policies = new Map(this.#policies);
    for (const { organizationId, status, settings } of controls) {
      if (status === 'suspended') suspended.add(organizationId);
      const policy = policyFrom(settings);
      if (Object.keys(policy).length > 0) policies.set(organizationId, Object.freeze(policy));
    }
    this.#suspended = suspended;
    this.#policies = policies;
  }
}
