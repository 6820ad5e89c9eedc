import { isRole, type Role } from '../../domain/identity/role.ts';
import type { Principal } from '../../domain/identity/principal.ts';
import { parseOrganizationId, type OrganizationId } from '../../domain/organizations/organization-id.ts';

const MAX_SUBJECT_LENGTH = 255;

/** Raised for a verified token that says something this service does not accept. Its message is for debugging only. */
export class ClaimError extends Error {}

/**
 * What a token's claims say of its bearer. Unknown roles are left out, and so are roles out of their place: with
 * an `org_id` a token never carries `platform_admin`, and without one it carries nothing else.
 *
 * @throws {ClaimError}
 * @throws {ValidationError} for an `org_id` that breaks the rules
 */
export const toPrincipal = (
  claims: Readonly<Record<string, unknown>>,
  maxOrganizationIdLength: number,
): Principal => {
  const { sub, roles, org_id: organization } = claims;
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT_LENGTH || /\p{Cc}/u.test(sub)) {
    throw new ClaimError('sub is no user id');
  }
  if (!Array.isArray(roles)) throw new ClaimError('roles is no array');
  const organizationId = toOrganizationId(organization, maxOrganizationIdLength);
  const inPlace = (role: Role): boolean => (role === 'platform_admin') === (organizationId === null);
  return { userId: sub, organizationId, roles: new Set(roles.filter(isRole).filter(inPlace)) };
};

const toOrganizationId = (claim: unknown, maxLength: number): OrganizationId | null => {
  if (claim === undefined) return null;
  if (typeof claim !== 'string') throw new ClaimError('org_id is no text');
  return parseOrganizationId(claim, maxLength);
};
