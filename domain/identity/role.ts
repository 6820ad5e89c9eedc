/** Roles within one organization. */
export const ORGANIZATION_ROLES = ['org_admin', 'member', 'worker'] as const;
export type OrganizationRole = (typeof ORGANIZATION_ROLES)[number];

/** All roles a token can carry. `platform_admin` belongs to no organization. */
export const ROLES = ['platform_admin', ...ORGANIZATION_ROLES] as const;
export type Role = (typeof ROLES)[number];

export const isRole = (value: unknown): value is Role => ROLES.some((role) => role === value);
