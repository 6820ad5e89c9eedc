import type { FileStore } from '../../application/ports/files/file-store.ts';
import type { HealthCheck } from '../../application/ports/databases/health-check.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { OrganizationDatabases } from '../../application/ports/databases/organization-databases.ts';
import type { ProcessLedger } from '../../application/ports/operators/process-ledger.ts';
import type { runTask } from '../../application/operators/run-task.ts';
import type { EffectiveSetting } from '../../application/ports/operators/effective-setting.ts';
import type { OperatorsLedger } from '../../application/ports/operators/operators-ledger.ts';
import type { BackgroundTasks } from '../../application/ports/runtime/background-tasks.ts';
import type { FleetSteering } from '../../application/fleet/steer-over-http.ts';
import type { FleetLedger } from '../../application/ports/fleet/fleet-ledger.ts';
import type { ChangeFeed } from '../../application/ports/runtime/change-feed.ts';
import type { HttpMetrics } from '../../application/ports/runtime/http-metrics.ts';
import type { EventStreams } from '../../application/events/event-streams.ts';
import type { OperatorStreams } from '../../application/operators/operator-streams.ts';
import type { RequestLimits } from '../../application/limits/request-limits.ts';
import type { StorageQuota } from '../../application/limits/storage-quota.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { OrganizationPolicies } from '../../application/ports/runtime/organization-policies.ts';
import type { Tracing } from '../../application/ports/runtime/tracing.ts';
import type { RunWithRequestContext } from '../../application/ports/runtime/request-context.ts';
import type { UseCases } from '../../application/use-cases.ts';
import type { WorkFigures } from '../../application/work/work-figures.ts';
import type { ResponseAccount } from './request/response-account.ts';

export interface OrganizationQuotas {
  readonly writeBytesPerSecond: number;
  readonly writeValuesPerSecond: number;
  readonly storageBytes: number;
  /** Of all its files. */
  readonly filesBytes: number;
}

export interface HttpOptions {
  /** Of this release, as in `package.json`. */
  readonly version: string;
  /** In characters: what the name template of the results databases leaves for an organization id. */
  readonly maxOrganizationIdLength: number;
  /** How many entries of `X-Forwarded-For` are trusted, counted from its end. */
  readonly trustedProxies: number;
  /** Origins of pages that may call the API; empty: none but its own. */
  readonly corsOrigins: readonly string[];
  /** The most connections that the configuration allows one organization in one process. */
  readonly maxConnectionsPerOrganization: number;
  /** The most that the configuration allows one organization to write. Its settings may ask for less. */
  readonly organizationQuotas: OrganizationQuotas;
  /** The most bytes of one file. */
  readonly maxFileBytes: number;
  /** `/ready` answers 503 as soon as any database is unhealthy. */
  readonly readyStrict: boolean;
  /** `/ready` names organizations only to a platform administrator. */
  readonly hideOrganizationNames: boolean;
  /** While the process stops, it is not ready and closes each connection after its response. */
  isStopping(): boolean;
}

/** The part of the fleet ledger that lists and shows runs. */
export type FleetReader = Pick<FleetLedger, 'findRun' | 'listRuns' | 'listItems' | 'progress'>;

/** What composition hands to the app. Each route and each step takes what it needs from it by name. */
export interface HttpDependencies extends UseCases {
  /** For reads that need no use case. */
  readonly metadata: MetadataDatabase;
  readonly fleet: FleetReader;
  readonly steering: FleetSteering;
  readonly operators: Pick<OperatorsLedger, 'lastPass'>;
  readonly tasks: Pick<BackgroundTasks, 'list'>;
  readonly runTask: ReturnType<typeof runTask>;
  /** Of the process that answers; secrets are masked. */
  readonly settings: readonly EffectiveSetting[];
  readonly processes: Pick<ProcessLedger, 'list'>;
  /** Of the process that answers. */
  readonly instanceId: string;
  readonly health: HealthCheck;
  readonly changeFeed: Pick<ChangeFeed, 'isBehind'>;
  readonly databases: OrganizationDatabases;
  readonly eventStreams: Pick<EventStreams, 'open' | 'count'>;
  readonly operatorStreams: Pick<OperatorStreams, 'open' | 'count'>;
  /** For what needs no use case: to send bytes. */
  readonly fileStore: FileStore;
  readonly policies: OrganizationPolicies;
  readonly requestLimits: RequestLimits;
  readonly storageQuota: StorageQuota;
  readonly logger: Logger;
  readonly runWithRequestContext: RunWithRequestContext;
  readonly httpMetrics: HttpMetrics;
  readonly workFigures: Pick<WorkFigures, 'seen' | 'handedOut'>;
  /** Null: nothing is traced. */
  readonly tracing: Tracing | null;
  readonly responses: ResponseAccount;
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly options: HttpOptions;
}
