import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * For operators, who may name any organization: one that they mistyped must not pass for one with nothing to do.
 *
 * @throws {OrganizationNotFoundError} naming all that do not exist
 */
export const assertOrganizations =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  async (organizationIds: readonly OrganizationId[]): Promise<void> => {
    const unknown: OrganizationId[] = [];
    for (const id of organizationIds) if ((await metadata.organizations.find(id)) === null) unknown.push(id);
    if (unknown.length === 0) return;
    const noun = unknown.length === 1 ? 'organization' : 'organizations';
    throw new OrganizationNotFoundError(`There is no ${noun} ${unknown.map((id) => `"${id}"`).join(', ')}.`);
  };
