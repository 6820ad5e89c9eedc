import type { UseCases } from '../../application/use-cases.ts';
import type { FleetLedger } from '../../application/ports/fleet/fleet-ledger.ts';
import type { HttpMetrics } from '../../application/ports/runtime/http-metrics.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { HealthCheck } from '../../application/ports/databases/health-check.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { OrganizationPolicies } from '../../application/ports/runtime/organization-policies.ts';
import type { OrganizationDatabases } from '../../application/ports/databases/organization-databases.ts';
import type { RunWithRequestContext } from '../../application/ports/runtime/request-context.ts';
import type { TokenVerifier } from '../../application/ports/identity/tokens.ts';

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

type ExecutableUseCases = ReturnType<typeof asExecutables>;

/** Use cases under the names by which handlers call them. */
export const asExecutables = (useCases: UseCases) => ({
  createOrganization: { execute: useCases.createOrganization },
  changeOrganization: { execute: useCases.changeOrganization },
  getOrganization: { execute: useCases.getOrganization },
  getSettings: { execute: useCases.getSettings },
  replaceSettings: { execute: useCases.replaceSettings },
  patchSettings: { execute: useCases.patchSettings },
  suspendOrganization: { suspend: useCases.suspendOrganization, resume: useCases.resumeOrganization },
  recordDeniedAccess: { execute: useCases.recordDeniedAccess },
  issueToken: { execute: useCases.issueToken },
  refreshSession: { execute: useCases.refreshSession },
  endSession: { execute: useCases.endSession },
  changeOwnPassword: { execute: useCases.changeOwnPassword },
  createUser: { execute: useCases.createUser },
  changeUser: { execute: useCases.changeUser },
  setPassword: { execute: useCases.setPassword },
  linkIdentity: { execute: useCases.linkIdentity },
  unlinkIdentity: { execute: useCases.unlinkIdentity },
  addMember: { execute: useCases.addMember },
  changeMemberRoles: { execute: useCases.changeMemberRoles },
  removeMember: { execute: useCases.removeMember },
  submitJob: { execute: useCases.submitJob },
  provisionDatabase: { execute: useCases.provisionDatabase },
  listDatabases: { execute: useCases.listDatabases },
  getDatabase: { execute: useCases.getDatabase },
});

/** All that the HTTP side needs of the rest. */
export interface HttpDependencies
  extends ExecutableUseCases, Pick<UseCases, 'listServers' | 'getServer' | 'changeServer'> {
  /** For plain lists. */
  readonly metadata: MetadataDatabase;
  readonly fleet: FleetReader;
  readonly health: HealthCheck;
  readonly databases: OrganizationDatabases;
  readonly policies: OrganizationPolicies;
  readonly tokenVerifier: TokenVerifier;
  readonly logger: Logger;
  readonly runWithRequestContext: RunWithRequestContext;
  readonly httpMetrics: HttpMetrics;
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly options: HttpOptions;
}
