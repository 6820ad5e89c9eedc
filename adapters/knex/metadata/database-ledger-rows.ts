import type { DatabaseRecord } from '../../../application/ports/databases/database-ledger.ts';
import type { DatabaseState } from '../../../domain/databases/results-database.ts';
import type { SpareDatabase } from '../../../application/ports/databases/provisioning-ledger.ts';
import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

export interface DatabaseRow {
  /** References organizations, where only checked ids are written. */
  readonly org_id: OrganizationId;
  /** References results_servers. */
  readonly server_id: ServerId;
  readonly database_name: string;
  readonly state: DatabaseState;
  readonly stamp: string | null;
  readonly generation: number;
  readonly schema_version: number | null;
  readonly last_error: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const RECORD_COLUMNS = [
  'org_id',
  'server_id',
  'database_name',
  'state',
  'stamp',
  'generation',
  'schema_version',
  'last_error',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof DatabaseRow)[];

export interface SpareRow {
  readonly spare_id: string;
  readonly server_id: ServerId;
  readonly database_name: string;
  readonly template_hash: string;
  readonly schema_version: number;
}

export const SPARE_COLUMNS = [
  'spare_id',
  'server_id',
  'database_name',
  'template_hash',
  'schema_version',
] as const satisfies readonly (keyof SpareRow)[];

export const toDatabaseRecord = (row: DatabaseRow): DatabaseRecord => ({
  organizationId: row.org_id,
  serverId: row.server_id,
  databaseName: row.database_name,
  state: row.state,
  stamp: row.stamp,
  generation: row.generation,
  schemaVersion: row.schema_version,
  lastError: row.last_error,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export const toSpare = (row: SpareRow): SpareDatabase => ({
  spareId: row.spare_id,
  serverId: row.server_id,
  databaseName: row.database_name,
  templateHash: row.template_hash,
  schemaVersion: row.schema_version,
});
