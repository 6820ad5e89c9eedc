import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { OrganizationPolicy } from '../../../domain/organizations/organization-policy.ts';

/** The settings and status of organizations, cached in memory. Changes arrive within one second. */
export interface OrganizationPolicies {
  /**
   * Comes before a request asks for anything else here. Undefined while the feed of changes is up to date. While it is
   * behind, the organization is read from the metadata database, at most every two seconds. Never rejects, and waits some
   * seconds at most: while that database is away, the last known state stands.
   */
  confirm(organizationId: OrganizationId): Promise<unknown> | undefined;
  /** Never queries. The policy of an organization without settings, or of an unknown one, is empty. */
  policyOf(organizationId: OrganizationId): OrganizationPolicy;
  /** Never queries. While the metadata database is unreachable, returns the last known state. */
  isSuspended(organizationId: OrganizationId): boolean;
}
