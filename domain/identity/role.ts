/** Roles within one organization. */
export const ORGANIZATION_ROLES = ['org_admin', 'member', 'worker'] as const;
export type OrganizationRole = (typeof ORGANIZATION_ROLES)[number];

/**
 * Roles that a person can have. `platform_admin` belongs to no organization, and `guest` to none yet: a guest sees and
 * answers invitations. No token grants `guest`; the account does.
 */
export const PERSONAL_ROLES = ['platform_admin', 'guest', ...ORGANIZATION_ROLES] as const;

/**
 * All roles a caller can have. `fleet` is a service account's that speaks for no organization: it sees where there is work,
 * and exchanges its token for one of an organization. No token grants it; the account does.
 */
export const ROLES = [...PERSONAL_ROLES, 'fleet'] as const;
export type Role = (typeof ROLES)[number];

export const isOrganizationRole = (role: Role): role is OrganizationRole =>
  ORGANIZATION_ROLES.some((known) => known === role);

export const isRole = (value: unknown): value is Role => ROLES.some((role) => role === value);
