import type { ServerId } from '../../../domain/databases/server.ts';
import { holdsResults, type DatabaseState } from '../../../domain/databases/results-database.ts';
import type {
  FleetCandidate,
  FleetClaim,
  FleetItem,
  FleetRun,
  ItemState,
} from '../../../application/ports/fleet/fleet-ledger.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** Unfinished items. The partial index has the same condition, word for word. */
export const UNFINISHED = `state in ('pending', 'running', 'deferred')`;

export interface RunRow {
  readonly run_id: number;
  readonly kind: FleetRun['kind'];
  readonly target_version: number | null;
  readonly whole_fleet: boolean;
  readonly state: FleetRun['state'];
  readonly reason: string | null;
  readonly wave: number;
  readonly error_budget: number;
  readonly service_schema_version: number | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly finished_at: Date | null;
}

export const RUN_COLUMNS = [
  'run_id',
  'kind',
  'target_version',
  'whole_fleet',
  'state',
  'reason',
  'wave',
  'error_budget',
  'service_schema_version',
  'created_at',
  'updated_at',
  'finished_at',
] as const satisfies readonly (keyof RunRow)[];

export interface ItemRow {
  /** References organizations, where only checked ids are written. */
  readonly org_id: OrganizationId;
  readonly wave: number;
  readonly state: ItemState;
  readonly from_version: number;
  readonly to_version: number;
  readonly attempts: number;
  readonly error: string | null;
  readonly duration_ms: number | null;
  readonly updated_at: Date;
}

export const ITEM_COLUMNS = [
  'org_id',
  'wave',
  'state',
  'from_version',
  'to_version',
  'attempts',
  'error',
  'duration_ms',
  'updated_at',
] as const satisfies readonly (keyof ItemRow)[];

export interface CandidateRow {
  readonly org_id: OrganizationId;
  readonly server_id: ServerId;
  readonly state: FleetCandidate['state'];
  readonly schema_version: number | null;
  readonly urgent: boolean;
}

export interface SchemaCountRow {
  readonly schema_version: number;
  /** A bigint, which the driver gives as text. */
  readonly count: string;
}

export interface ClaimRow {
  readonly org_id: OrganizationId;
  /** Null, like the columns that follow, when the organization no longer has a database. */
  readonly server_id: ServerId | null;
  readonly database_name: string | null;
  readonly state: DatabaseState | null;
  readonly stamp: string | null;
  readonly generation: number | null;
  readonly to_version: number;
  readonly attempts: number;
}

export const toRun = (row: RunRow): FleetRun => ({
  runId: row.run_id,
  kind: row.kind,
  targetVersion: row.target_version,
  wholeFleet: row.whole_fleet,
  state: row.state,
  reason: row.reason,
  wave: row.wave,
  errorBudget: row.error_budget,
  serviceSchemaVersion: row.service_schema_version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  finishedAt: row.finished_at,
});

export const toItem = (row: ItemRow): FleetItem => ({
  organizationId: row.org_id,
  wave: row.wave,
  state: row.state,
  fromVersion: row.from_version,
  toVersion: row.to_version,
  attempts: row.attempts,
  error: row.error,
  durationMs: row.duration_ms,
  updatedAt: row.updated_at,
});

export const toCandidate = (row: CandidateRow): FleetCandidate => ({
  organizationId: row.org_id,
  serverId: row.server_id,
  state: row.state,
  schemaVersion: row.schema_version,
  urgent: row.urgent,
});

export const toClaim = (row: ClaimRow): FleetClaim => ({
  organizationId: row.org_id,
  database: toClaimedDatabase(row),
  toVersion: row.to_version,
  attempt: row.attempts,
});

const toClaimedDatabase = ({
  server_id,
  database_name,
  state,
  stamp,
  generation,
}: ClaimRow): FleetClaim['database'] => {
  if (
    state === null ||
    !holdsResults(state) ||
    server_id === null ||
    database_name === null ||
    stamp === null ||
    generation === null
  )
    return null;
  return { serverId: server_id, databaseName: database_name, stamp, generation };
};
