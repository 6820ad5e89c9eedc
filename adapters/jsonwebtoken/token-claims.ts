import { PRINTABLE } from '../../domain/printable.ts';
import { isOrganizationRole, isRole, type Role } from '../../domain/identity/role.ts';
import type { TokenClaims } from '../../application/ports/identity/tokens.ts';
import { parseOrganizationId, type OrganizationId } from '../../domain/organizations/organization-id.ts';

const MAX_NAME_LENGTH = 255;

/** Raised when a token is not acceptable to this service. Only debug logs show its message; no client sees it. */
export class ClaimError extends Error {}

/**
 * Reads the claims of a verified token. Drops unknown roles and roles that do not fit: a token with an `org_id`
 * cannot have `platform_admin`, and one without can have no other role. Ignores the roles of an identity provider's
 * token (`external`), because their names mean nothing here.
 *
 * @throws {ClaimError} when a claim is missing or has the wrong type
 * @throws {ValidationError} for an invalid `org_id`
 */
export const toClaims = (
  claims: Readonly<Record<string, unknown>>,
  { issuer, external }: { readonly issuer: string; readonly external: boolean },
  maxOrganizationIdLength: number,
): TokenClaims => {
  const { sub, sid, org_id: organization, auth_time: authTime } = claims;
  if (!isName(sub)) throw new ClaimError('sub is no user id');
  if (sid !== undefined && !isName(sid)) throw new ClaimError('sid is no session id');
  // Identity providers write `auth_time` into tokens of any client: only this service's own says something of a browser.
  const isOfBrowser = !external && typeof authTime === 'number' && Number.isFinite(authTime);
  const organizationId = toOrganizationId(organization, maxOrganizationIdLength);
  return {
    issuer,
    subject: sub,
    external,
    organizationId,
    roles: external ? new Set() : toRoles(claims['roles'], organizationId),
    // An external session id names no session of this service.
    sessionId: external ? null : (sid ?? null),
    ...(isOfBrowser && { authTime }),
  };
};

const isName = (claim: unknown): claim is string =>
  typeof claim === 'string' && claim !== '' && claim.length <= MAX_NAME_LENGTH && PRINTABLE.test(claim);

const toRoles = (claim: unknown, organizationId: OrganizationId | null): ReadonlySet<Role> => {
  if (!Array.isArray(claim)) throw new ClaimError('roles is no array');
  const inPlace = (role: Role): boolean =>
    organizationId === null ? role === 'platform_admin' : isOrganizationRole(role);
  return new Set(claim.filter(isRole).filter(inPlace));
};

const toOrganizationId = (claim: unknown, maxLength: number): OrganizationId | null => {
  if (claim === undefined) return null;
  if (typeof claim !== 'string') throw new ClaimError('org_id is no text');
  return parseOrganizationId(claim, maxLength);
};
