import type { Page, PageRequest } from '../page.ts';
import type { OrganizationId } from './organization-id.ts';
import type { Organization, OrganizationSettings } from './organization.ts';

/** Organizations in the metadata database. */
export interface OrganizationRepository {
  /** @throws {OrganizationAlreadyExistsError} */
  insert(organization: { id: OrganizationId; name: string }): Promise<Organization>;
  find(id: OrganizationId): Promise<Organization | null>;
  /** In the order of their ids. */
  list(page: PageRequest<string>): Promise<Page<Organization, string>>;
  /** Null when there is no such organization. */
  rename(id: OrganizationId, name: string): Promise<Organization | null>;
  /** An organization that never set anything has empty settings; null when there is no such organization. */
  findSettings(id: OrganizationId): Promise<OrganizationSettings | null>;
  /** Replaces all settings. @throws {OrganizationNotFoundError} */
  replaceSettings(id: OrganizationId, settings: OrganizationSettings): Promise<void>;
}
