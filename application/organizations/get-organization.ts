import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { Organization } from '../../domain/organizations/organization.ts';
import type { DatabaseRecord } from '../ports/databases/database-ledger.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * An organization and its database; the latter is null before first use.
 *
 * @throws {OrganizationNotFoundError}
 */
export const getOrganization =
  ({ metadata, ledger }: Pick<Ports, 'metadata' | 'ledger'>) =>
  async (id: OrganizationId): Promise<{ organization: Organization; database: DatabaseRecord | null }> => {
    const [organization, database] = await Promise.all([metadata.organizations.find(id), ledger.find(id)]);
    if (organization === null) throw new OrganizationNotFoundError();
    return { organization, database };
  };
