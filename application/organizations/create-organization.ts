import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Organization } from '../../domain/organizations/organization.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';

export class CreateOrganization {
  readonly #metadata: MetadataDatabase;

  constructor(metadata: MetadataDatabase) {
    this.#metadata = metadata;
  }

  /**
   * Registers an organization. Its results database is made at first use.
   *
   * @throws {OrganizationAlreadyExistsError}
   */
  execute(actor: Actor, input: { id: OrganizationId; name: string }): Promise<Organization> {
    return this.#metadata.transaction(async ({ organizations, auditLog }) => {
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
  }
}
