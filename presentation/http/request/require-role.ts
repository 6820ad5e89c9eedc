import { RoleRequiredError } from '../../../domain/identity/errors.ts';
import { hasAnyRole } from '../../../domain/identity/principal.ts';
import type { Role } from '../../../domain/identity/role.ts';
import { held, type Step } from './http-locals.ts';

/**
 * Passes a principal that has one of these roles. Without the claim of an organization, roles within one do not count.
 *
 * @throws {RoleRequiredError}
 */
export const requireRole = (roles: readonly Role[]): Step => {
  const platformRoles = roles.filter((role) => role === 'platform_admin');
  return (_req, res) => {
    const principal = held(res.locals, 'principal');
    const rolesThatCount = principal.organizationId === null ? platformRoles : roles;
    if (!hasAnyRole(principal, rolesThatCount)) throw new RoleRequiredError(roles);
  };
};
