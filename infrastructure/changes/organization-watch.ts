import type { Change, ChangeSubscriber } from '../../application/ports/runtime/change-feed.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { OrganizationPolicies } from '../../application/ports/runtime/organization-policies.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { policyFrom, type OrganizationPolicy } from '../../domain/organizations/organization-policy.ts';
import type { OrganizationControls } from '../../domain/organizations/organization-repository.ts';

const EMPTY: OrganizationPolicy = Object.freeze({});

/**
 * Keeps in memory the organizations that are suspended or have a policy: few among many. The others cost nothing and need
 * no look-up. It knows of none before it is subscribed to the feed of changes.
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
    this.#keep(await this.#organizations.listControls(null), new Set(), new Map());
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
    this.#keep(controls, suspended, policies);
  }

  /** Puts what is known now in the place of what was known, in one step. */
  #keep(
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
