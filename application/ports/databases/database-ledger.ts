import type { DatabaseState } from '../../../domain/databases/results-database.ts';
import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { OrganizationStatus } from '../../../domain/organizations/organization.ts';
import type { Page, PageRequest } from '../../../domain/page.ts';

/**
 * Which database is an organization's, and how far it is. The stamp also stands in the database itself: a database with
 * another stamp is not this one, whatever its name.
 */
export interface DatabaseRecord {
  readonly organizationId: OrganizationId;
  /** The server that holds it, or is to hold it. */
  readonly serverId: ServerId;
  readonly databaseName: string;
  readonly state: DatabaseState;
  /** A UUID. Together with the generation it identifies the database. Null until a database is chosen or begun. */
  readonly stamp: string | null;
  /** Rises when the organization's database is restored, moved or made again. */
  readonly generation: number;
  /** Number of results migrations that are applied. */
  readonly schemaVersion: number | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The database that a record named when it was read. The organization may have been given another one since. */
export type RecordedDatabase = Pick<DatabaseRecord, 'organizationId' | 'stamp' | 'generation'>;

/** The metadata database's records of results databases: the truth about what should exist. */
export interface DatabaseLedger {
  find(organizationId: OrganizationId): Promise<DatabaseRecord | null>;
  /** Reads organization and record in one statement, for opening a pool; null when there is no such organization. */
  findForAccess(
    organizationId: OrganizationId,
  ): Promise<{ readonly status: OrganizationStatus; readonly record: DatabaseRecord | null } | null>;
  /** In the order of the organization ids. */
  list(
    filter: { readonly state: DatabaseState | null; readonly serverId?: ServerId | null },
    page: PageRequest<string>,
  ): Promise<Page<DatabaseRecord, string>>;
  /** Those of the organizations that the ledger has on the server, in no order. */
  findOnServer(
    serverId: ServerId,
    organizationIds: readonly OrganizationId[],
  ): Promise<readonly DatabaseRecord[]>;
  /** Servers and states that have none may be left out. */
  countByState(): Promise<ReadonlyMap<ServerId, Readonly<Record<DatabaseState, number>>>>;
}
