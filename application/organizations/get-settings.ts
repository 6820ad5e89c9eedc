import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { VersionedSettings } from '../../domain/organizations/organization.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';

export class GetSettings {
  readonly #metadata: MetadataDatabase;

  constructor(metadata: MetadataDatabase) {
    this.#metadata = metadata;
  }

  /** @throws {OrganizationNotFoundError} */
  async execute(id: OrganizationId): Promise<VersionedSettings> {
    const settings = await this.#metadata.organizations.findSettings(id);
    if (settings === null) throw new OrganizationNotFoundError();
    return settings;
  }
}
