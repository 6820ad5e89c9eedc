import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { OrganizationPolicy } from '../../../domain/organizations/organization-policy.ts';

/** The settings and status of organizations, cached in memory. Changes arrive within one second. */
export interface OrganizationPolicies {
  /** Never queries. The policy of an organization without settings, or of an unknown one, is empty. */
  policyOf(organizationId: OrganizationId): OrganizationPolicy;
  /** Never queries. While the metadata database is unreachable, returns the last known state. */
  isSuspended(organizationId: OrganizationId): boolean;
}
