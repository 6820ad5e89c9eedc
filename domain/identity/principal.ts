import type { OrganizationId } from '../organizations/organization-id.ts';
import type { Role } from './role.ts';

/** Who sends a request, as a verified token says. */
export interface Principal {
  readonly userId: string;
  /** The one organization this token speaks for; null for platform administrators. */
  readonly organizationId: OrganizationId | null;
  readonly roles: ReadonlySet<Role>;
  /** Of a token of a browser's session: when its password was given last, in seconds since 1970. */
  readonly authTime?: number;
  /** Of a fleet: the key that its token ends with. */
  readonly keyId?: string;
}

export const hasAnyRole = (principal: Principal, roles: readonly Role[]): boolean =>
  roles.some((role) => principal.roles.has(role));
