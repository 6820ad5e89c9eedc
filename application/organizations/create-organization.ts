import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Organization } from '../../domain/organizations/organization.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * Registers an organization. Its results database is made at first use.
 *
 * @throws {OrganizationAlreadyExistsError}
 */
export const createOrganization =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, input: { readonly id: OrganizationId; readonly name: string }): Promise<Organization> =>
    metadata.transaction(async ({ organizations, auditLog }) => {
      const organization = await organizations.insert(input);
      await auditLog.append({
        organizationId: organization.id,
        action: 'organization.created',
        entityType: 'organization',
        entityId: organization.id,
        details: { name: organization.name },
        ...causedBy(actor),
      });
      return organization;
    });
