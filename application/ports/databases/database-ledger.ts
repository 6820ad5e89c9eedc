import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { OrganizationStatus } from '../../../domain/organizations/organization.ts';
import type { Page, PageRequest } from '../../../domain/page.ts';

export const DATABASE_STATES = ['provisioning', 'ready', 'failed', 'suspended', 'retiring'] as const;
export type DatabaseState = (typeof DATABASE_STATES)[number];

/** Whether its making was begun and not finished. */
export const isHalfMade = (state: DatabaseState): boolean => state === 'provisioning' || state === 'failed';

/** Whether a database of this state holds an organization's results, served or suspended. */
export const holdsResults = (state: DatabaseState): boolean => state === 'ready' || state === 'suspended';

/**
 * Which database is an organization's, and how far it is. The stamp is written into the database itself as well:
 * a database that carries another stamp is not this one, whatever its name.
 */
export interface DatabaseRecord {
  readonly organizationId: OrganizationId;
  readonly databaseName: string;
  readonly state: DatabaseState;
  /** UUID that is the database's identity, with the generation; null until a database is chosen or begun. */
  readonly stamp: string | null;
  /** Rises when the organization's database is restored, moved or made again. */
  readonly generation: number;
  /** Number of results migrations applied. */
  readonly schemaVersion: number | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The metadata database's book of results databases: the truth about what should exist. */
export interface DatabaseLedger {
  find(organizationId: OrganizationId): Promise<DatabaseRecord | null>;
  /** Organization and record in one look, for opening a pool; null when there is no such organization. */
  findForAccess(
    organizationId: OrganizationId,
  ): Promise<{ readonly status: OrganizationStatus; readonly record: DatabaseRecord | null } | null>;
  /** In the order of the organization ids. */
  list(
    filter: { readonly state: DatabaseState | null },
    page: PageRequest<string>,
  ): Promise<Page<DatabaseRecord, string>>;
  countByState(): Promise<Readonly<Record<DatabaseState, number>>>;
}
