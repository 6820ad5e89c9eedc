import type { PlacementPin } from '../databases/server.ts';
import type { Page, PageRequest } from '../page.ts';
import type { OrganizationId } from './organization-id.ts';
import type {
  Organization,
  OrganizationSettings,
  OrganizationStatus,
  VersionedSettings,
} from './organization.ts';

/** What decides how, and whether, an organization is served. */
export interface OrganizationControls {
  readonly organizationId: OrganizationId;
  readonly status: OrganizationStatus;
  readonly settings: OrganizationSettings;
}

/** Organizations in the metadata database. */
export interface OrganizationRepository {
  /**
   * @param organization.placement anywhere by default
   * @throws {OrganizationAlreadyExistsError}
   * @throws {ServerNotFoundError} when it is pinned to a server that nobody recorded
   */
  insert(organization: {
    readonly id: OrganizationId;
    readonly name: string;
    readonly placement?: PlacementPin;
  }): Promise<Organization>;
  find(id: OrganizationId): Promise<Organization | null>;
  /** In the order of their ids. */
  list(page: PageRequest<string>): Promise<Page<Organization, string>>;
  /** Null when there is no such organization. */
  rename(id: OrganizationId, name: string): Promise<Organization | null>;
  /**
   * Changes the given parts of where the organization's database has to be. Null when there is no such organization.
   *
   * @throws {ServerNotFoundError} when nobody recorded the server
   */
  pin(id: OrganizationId, changes: Partial<PlacementPin>): Promise<Organization | null>;
  /** An organization that never set anything has empty settings; null when there is no such organization. */
  findSettings(id: OrganizationId): Promise<VersionedSettings | null>;
  /** As `findSettings`, and keeps other writers of the settings away until the transaction ends. */
  findSettingsForUpdate(id: OrganizationId): Promise<VersionedSettings | null>;
  /** Replaces all settings and returns them as they are kept. @throws {OrganizationNotFoundError} */
  replaceSettings(id: OrganizationId, settings: OrganizationSettings): Promise<VersionedSettings>;
  /** Writes another status. False, and nothing is changed, when there is no such organization of the status `from`. */
  moveStatus(id: OrganizationId, from: OrganizationStatus, to: OrganizationStatus): Promise<boolean>;
  /**
   * Those organizations, among the given or (null) among all, that are suspended or have settings that the service
   * acts on.
   */
  listControls(ids: readonly OrganizationId[] | null): Promise<readonly OrganizationControls[]>;
}
