import { RoleRequiredError } from '../../../domain/identity/errors.ts';
import { hasAnyRole } from '../../../domain/identity/principal.ts';
import { isOrganizationRole, type Role } from '../../../domain/identity/role.ts';
import { held, type Step } from './http-locals.ts';

/**
 * Passes a principal that has one of these roles. Roles within an organization need its claim, to count.
 *
 * @throws {RoleRequiredError}
 */
export const requireRole = (roles: readonly Role[]): Step => {
  const rolesWithoutOrganization = roles.filter((role) => !isOrganizationRole(role));
  return (_req, res) => {
    const principal = held(res.locals, 'principal');
    const rolesThatCount = principal.organizationId === null ? rolesWithoutOrganization : roles;
    if (!hasAnyRole(principal, rolesThatCount)) throw new RoleRequiredError(roles);
  };
};
