import type { DatabaseState } from '../databases/results-database.ts';
import type { PlacementPin, ServerId } from '../databases/server.ts';
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

export const ORGANIZATION_ORDERS = ['id', 'name', 'newest'] as const;

/** Which organizations are listed, and in which order. */
export interface OrganizationFilter {
  /** What the id or, in any case, the name begins with. */
  readonly prefix: string | null;
  readonly status: OrganizationStatus | null;
  /** Where the database is. */
  readonly serverId: ServerId | null;
  /** `none`: there is no database yet. */
  readonly state: DatabaseState | 'none' | null;
  readonly order: (typeof ORGANIZATION_ORDERS)[number];
}

export const ALL_ORGANIZATIONS: OrganizationFilter = {
  prefix: null,
  status: null,
  serverId: null,
  state: null,
  order: 'id',
};

export interface ListedOrganization extends Organization {
  /** Null before the first use. */
  readonly database: {
    readonly serverId: ServerId;
    readonly state: DatabaseState;
    readonly schemaVersion: number | null;
    readonly lastError: string | null;
  } | null;
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
  /** With what the ledger says of their databases. The key of a page is an id, whatever the order. */
  list(filter: OrganizationFilter, page: PageRequest<string>): Promise<Page<ListedOrganization, string>>;
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
