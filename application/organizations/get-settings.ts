import { OrganizationNotFoundError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { VersionedSettings } from '../../domain/organizations/organization.ts';
import type { Ports } from '../ports/ports.ts';

/** @throws {OrganizationNotFoundError} */
export const getSettings =
  ({ metadata }: Pick<Ports, 'metadata'>) =>
  async (id: OrganizationId): Promise<VersionedSettings> => {
    const settings = await metadata.organizations.findSettings(id);
    if (settings === null) throw new OrganizationNotFoundError();
    return settings;
  };
