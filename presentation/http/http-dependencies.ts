import type { UseCases } from '../../application/use-cases.ts';
import type { FleetLedger } from '../../application/ports/fleet/fleet-ledger.ts';
import type { HttpMetrics } from '../../application/ports/runtime/http-metrics.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { HealthCheck } from '../../application/ports/databases/health-check.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { OrganizationPolicies } from '../../application/ports/runtime/organization-policies.ts';
import type { OrganizationDatabases } from '../../application/ports/databases/organization-databases.ts';
import type { RunWithRequestContext } from '../../application/ports/runtime/request-context.ts';

export interface HttpOptions {
  /** What the name template of the results databases leaves for an organization id. */
  readonly maxOrganizationIdLength: number;
  /** Entries of `X-Forwarded-For` that are believed, from its end. */
  readonly trustedProxies: number;
  /** What the configuration lets one organization have in one process. */
  readonly maxConnectionsPerOrganization: number;
  /** `/ready` answers 503 as soon as any database is unhealthy. */
  readonly readyStrict: boolean;
  /** `/ready` names organizations only to a platform administrator. */
  readonly hideOrganizationNames: boolean;
  /** The process is on its way out: not ready, and connections are not kept. */
  isStopping(): boolean;
}

/** The book of fleet migrations, for plain lists. */
export type FleetReader = Pick<FleetLedger, 'findRun' | 'listRuns' | 'listItems' | 'progress'>;

/** All that the HTTP side needs of the rest. */
export interface HttpDependencies {
  readonly useCases: UseCases;
  /** For plain lists. */
  readonly metadata: MetadataDatabase;
  readonly fleet: FleetReader;
  readonly health: HealthCheck;
  readonly databases: OrganizationDatabases;
  readonly policies: OrganizationPolicies;
  readonly logger: Logger;
  readonly runWithRequestContext: RunWithRequestContext;
  readonly httpMetrics: HttpMetrics;
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly options: HttpOptions;
}
