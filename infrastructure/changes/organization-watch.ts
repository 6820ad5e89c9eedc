import type { Change, ChangeSubscriber } from '../../application/ports/runtime/change-feed.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { OrganizationPolicies } from '../../application/ports/runtime/organization-policies.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { policyFrom, type OrganizationPolicy } from '../../domain/organizations/organization-policy.ts';
import type { OrganizationControls } from '../../domain/organizations/organization-repository.ts';

const EMPTY: OrganizationPolicy = Object.freeze({});

/**
 * Caches which organizations are suspended and which have settings. It stores only those, few among many; the others
 * need no query either. It is empty until it is subscribed to the feed of changes. Decisions 0014 and 0027.
 */
export class OrganizationWatch implements OrganizationPolicies, ChangeSubscriber {
  readonly #organizations: Pick<MetadataDatabase['organizations'], 'listControls'>;
  #suspended: ReadonlySet<OrganizationId> = new Set();
  #policies: ReadonlyMap<OrganizationId, OrganizationPolicy> = new Map();

  constructor(organizations: Pick<MetadataDatabase['organizations'], 'listControls'>) {
    this.#organizations = organizations;
  }

  policyOf(organizationId: OrganizationId): OrganizationPolicy {
    return this.#policies.get(organizationId) ?? EMPTY;
  }

  isSuspended(organizationId: OrganizationId): boolean {
    return this.#suspended.has(organizationId);
  }

  async reset(): Promise<void> {
    this.#replace(await this.#organizations.listControls(null), new Set(), new Map());
  }

  async changed(changes: readonly Change[]): Promise<void> {
    const touched = new Set(
      changes.flatMap((change) =>
        change.kind === 'organization' || change.kind === 'settings' ? [change.organizationId] : [],
      ),
    );
    if (touched.size === 0) return;
    const controls = await this.#organizations.listControls([...touched]);
    const suspended = new Set([...this.#suspended].filter((id) => !touched.has(id)));
    const policies = new Map([...this.#policies].filter(([id]) => !touched.has(id)));
    this.#replace(controls, suspended, policies);
  }

  /** Completes the new collections and then replaces the old ones, so that no reader sees a partial state. */
  #replace(
    controls: readonly OrganizationControls[],
    suspended: Set<OrganizationId>,
    policies: Map<OrganizationId, OrganizationPolicy>,
  ): void {
    for (const { organizationId, status, settings } of controls) {
      if (status === 'suspended') suspended.add(organizationId);
      const policy = policyFrom(settings);
      if (Object.keys(policy).length > 0) policies.set(organizationId, Object.freeze(policy));
    }
    this.#suspended = suspended;
    this.#policies = policies;
  }
}
