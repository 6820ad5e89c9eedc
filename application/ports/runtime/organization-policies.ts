import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { OrganizationPolicy } from '../../../domain/organizations/organization-policy.ts';

/** What every request and every pool has to know of its organization, kept in memory and fresh within a second. */
export interface OrganizationPolicies {
  /** Asks nobody. An organization that set nothing, or does not exist, has an empty policy. */
  policyOf(organizationId: OrganizationId): OrganizationPolicy;
  /** Asks nobody. While the metadata database cannot be reached, as it was last known. */
  isSuspended(organizationId: OrganizationId): boolean;
}
