import { isRole, type Role } from '../../domain/identity/role.ts';
import type { TokenClaims } from '../../application/ports/identity/tokens.ts';
import { parseOrganizationId, type OrganizationId } from '../../domain/organizations/organization-id.ts';

const MAX_NAME_LENGTH = 255;

/** Raised for a verified token that says something this service does not accept. Its message is for debugging only. */
export class ClaimError extends Error {}

/**
 * What a token's claims say of its bearer. Unknown roles are left out, and so are roles out of their place: with
 * an `org_id` a token never carries `platform_admin`, and without one it carries nothing else. What an identity
 * provider (`external`) calls a role is none of ours.
 *
 * @throws {ClaimError}
 * @throws {ValidationError} for an `org_id` that breaks the rules
 */
export const toClaims = (
  claims: Readonly<Record<string, unknown>>,
  { issuer, external }: { readonly issuer: string; readonly external: boolean },
  maxOrganizationIdLength: number,
): TokenClaims => {
  const { sub, sid, org_id: organization } = claims;
  if (!isName(sub)) throw new ClaimError('sub is no user id');
  if (sid !== undefined && !isName(sid)) throw new ClaimError('sid is no session id');
  const organizationId = toOrganizationId(organization, maxOrganizationIdLength);
  return {
    issuer,
    subject: sub,
    external,
    organizationId,
    roles: external ? new Set() : toRoles(claims['roles'], organizationId),
    // Another issuer's sessions are its own affair.
    sessionId: external ? null : (sid ?? null),
  };
};

const isName = (claim: unknown): claim is string =>
  typeof claim === 'string' &&
  claim !== '' &&
  claim.length <= MAX_NAME_LENGTH &&
  claim.isWellFormed() &&
  !/\p{Cc}/u.test(claim);

const toRoles = (claim: unknown, organizationId: OrganizationId | null): ReadonlySet<Role> => {
  if (!Array.isArray(claim)) throw new ClaimError('roles is no array');
  const inPlace = (role: Role): boolean => (role === 'platform_admin') === (organizationId === null);
  return new Set(claim.filter(isRole).filter(inPlace));
};

const toOrganizationId = (claim: unknown, maxLength: number): OrganizationId | null => {
  if (claim === undefined) return null;
  if (typeof claim !== 'string') throw new ClaimError('org_id is no text');
  return parseOrganizationId(claim, maxLength);
};
