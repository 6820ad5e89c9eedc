import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Organization } from '../../domain/organizations/organization.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';

/** @throws {OrganizationNotFoundError} */
export const renameOrganization =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  (actor: Actor, id: OrganizationId, name: string): Promise<Organization> =>
    metadata.transaction(async ({ organizations, auditLog }) => {
      const before = await organizations.find(id);
      const organization = await organizations.rename(id, name);
      if (before === null || organization === null) throw new OrganizationNotFoundError();
      await auditLog.append({
        organizationId: id,
        action: 'organization.renamed',
        entityType: 'organization',
        entityId: id,
        details: { name, before: before.name },
        ...causedBy(actor),
      });
      return organization;
    });
