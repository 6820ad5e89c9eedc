import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Organization } from '../../domain/organizations/organization.ts';
import type { DatabaseLedger, DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { MetadataDatabase } from '../ports/databases/metadata-database.ts';

export class GetOrganization {
  readonly #metadata: MetadataDatabase;
  readonly #ledger: DatabaseLedger;

  constructor(metadata: MetadataDatabase, ledger: DatabaseLedger) {
    this.#metadata = metadata;
    this.#ledger = ledger;
  }

  /**
   * An organization and its database; the latter is null before first use.
   *
   * @throws {OrganizationNotFoundError}
   */
  async execute(
    id: OrganizationId,
  ): Promise<{ organization: Organization; database: DatabaseRecord | null }> {
    const [organization, database] = await Promise.all([
      this.#metadata.organizations.find(id),
      this.#ledger.find(id),
    ]);
    if (organization === null) throw new OrganizationNotFoundError();
    return { organization, database };
  }
}
