import type { DatabaseState } from '../../../domain/databases/results-database.ts';
import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { OrganizationStatus } from '../../../domain/organizations/organization.ts';
import type { Finding, ReconcileReport } from '../databases/database-upkeep.ts';
import type { FleetRun, ItemState } from '../fleet/fleet-ledger.ts';
import type { ProcessBeat } from './process-ledger.ts';

/** Organizations that are alike. */
export interface OrganizationGroup {
  readonly status: OrganizationStatus;
  /** Null, as the fields that follow: they have no database yet. */
  readonly serverId: ServerId | null;
  readonly state: DatabaseState | null;
  readonly schemaVersion: number | null;
  readonly count: number;
  /** The first few of them. */
  readonly sample: readonly OrganizationId[];
}

export const PASS_ORIGINS = ['start', 'command', 'operator'] as const;

/** Who asked for a comparison of the servers with the ledger. */
export type PassOrigin = (typeof PASS_ORIGINS)[number];

/** How many findings there are of a kind, by what was done about them. */
export type FindingSummary = Readonly<
  Partial<Record<Finding['kind'], Readonly<Partial<Record<Finding['action'], number>>>>>
>;

/** One comparison of the servers with the ledger. */
export interface ReconcilerPass extends ReconcileReport {
  readonly origin: PassOrigin;
  readonly dryRun: boolean;
  readonly beganAt: Date;
  readonly endedAt: Date;
  /** Of all findings: `findings` may hold the first of them alone. */
  readonly summary: FindingSummary;
}

/** The run that is not finished. */
export interface UnfinishedRun extends Pick<FleetRun, 'runId' | 'kind' | 'state' | 'reason'> {
  /** Whether processes of the service work on it. */
  readonly isServed: boolean;
  readonly counts: Readonly<Record<ItemState, number>>;
}

/** What stands in tables that are kept anyway. */
export interface Standing {
  readonly processes: readonly ProcessBeat[];
  readonly run: UnfinishedRun | null;
  /** Null before the first pass. */
  readonly pass: Pick<ReconcilerPass, 'origin' | 'dryRun' | 'endedAt' | 'summary'> | null;
}

/** What operators see of the whole deployment. Each method is one statement. */
export interface OperatorsLedger {
  groupOrganizations(): Promise<readonly OrganizationGroup[]>;
  standing(): Promise<Standing>;
  /** In place of the last one. */
  recordPass(pass: ReconcilerPass): Promise<void>;
  lastPass(): Promise<ReconcilerPass | null>;
}
