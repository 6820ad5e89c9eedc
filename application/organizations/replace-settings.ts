import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { OrganizationSettings } from '../../domain/organizations/organization.ts';
import type { Actor } from '../actor.ts';
import type { MetadataDatabase } from '../ports/metadata-database.ts';

export class ReplaceSettings {
  readonly #metadata: MetadataDatabase;

  constructor(metadata: MetadataDatabase) {
    this.#metadata = metadata;
  }

  /** Replaces all settings. @throws {OrganizationNotFoundError} */
  execute(actor: Actor, id: OrganizationId, settings: OrganizationSettings): Promise<OrganizationSettings> {
    return this.#metadata.transaction(async ({ organizations, auditLog }) => {
      await organizations.replaceSettings(id, settings);
      await auditLog.append({
        organizationId: id,
        userId: actor.principal.userId,
        action: 'settings.replaced',
        entityType: 'settings',
        entityId: id,
        details: { keys: Object.keys(settings) },
        requestId: actor.requestId,
      });
      return settings;
    });
  }
}
