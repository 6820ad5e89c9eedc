import type { RecordDeniedAccess } from '../../application/audit/record-denied-access.ts';
import type { GetDatabase } from '../../application/databases/get-database.ts';
import type { ListDatabases } from '../../application/databases/list-databases.ts';
import type { ProvisionDatabase } from '../../application/databases/provision-database.ts';
import type { ChangeOwnPassword } from '../../application/identity/change-own-password.ts';
import type { EndSession } from '../../application/identity/end-session.ts';
import type { IssueToken } from '../../application/identity/issue-token.ts';
import type { RefreshSession } from '../../application/identity/refresh-session.ts';
import type { SubmitJob } from '../../application/jobs/submit-job.ts';
import type { CreateOrganization } from '../../application/organizations/create-organization.ts';
import type { GetOrganization } from '../../application/organizations/get-organization.ts';
import type { GetSettings } from '../../application/organizations/get-settings.ts';
import type { PatchSettings } from '../../application/organizations/patch-settings.ts';
import type { RenameOrganization } from '../../application/organizations/rename-organization.ts';
import type { ReplaceSettings } from '../../application/organizations/replace-settings.ts';
import type { AddMember } from '../../application/members/add-member.ts';
import type { ChangeMemberRoles } from '../../application/members/change-member-roles.ts';
import type { RemoveMember } from '../../application/members/remove-member.ts';
import type { SuspendOrganization } from '../../application/organizations/suspend-organization.ts';
import type { FleetLedger } from '../../application/ports/fleet/fleet-ledger.ts';
import type { HttpMetrics } from '../../application/ports/runtime/http-metrics.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { HealthCheck } from '../../application/ports/databases/health-check.ts';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { OrganizationPolicies } from '../../application/ports/runtime/organization-policies.ts';
import type { OrganizationDatabases } from '../../application/ports/databases/organization-databases.ts';
import type { RunWithRequestContext } from '../../application/ports/runtime/request-context.ts';
import type { TokenVerifier } from '../../application/ports/identity/tokens.ts';
import type { ChangeUser } from '../../application/users/change-user.ts';
import type { CreateUser } from '../../application/users/create-user.ts';
import type { LinkIdentity } from '../../application/users/link-identity.ts';
import type { SetPassword } from '../../application/users/set-password.ts';
import type { UnlinkIdentity } from '../../application/users/unlink-identity.ts';

export interface HttpOptions {
  /** In characters: what the name template of the results databases leaves for an organization id. */
  readonly maxOrganizationIdLength: number;
  /** How many entries of `X-Forwarded-For` are trusted, counted from its end. */
  readonly trustedProxies: number;
  /** The most connections that the configuration allows one organization in one process. */
  readonly maxConnectionsPerOrganization: number;
  /** `/ready` answers 503 as soon as any database is unhealthy. */
  readonly readyStrict: boolean;
  /** `/ready` names organizations only to a platform administrator. */
  readonly hideOrganizationNames: boolean;
  /** While the process stops, it is not ready and closes each connection after its response. */
  isStopping(): boolean;
}

/** The part of the fleet ledger that lists and shows runs. */
export type FleetReader = Pick<FleetLedger, 'findRun' | 'listRuns' | 'listItems' | 'progress'>;

/** What composition hands to the app. Each route takes what it needs from it by name. */
export interface HttpDependencies {
  readonly createOrganization: CreateOrganization;
  readonly renameOrganization: RenameOrganization;
  readonly getOrganization: GetOrganization;
  readonly getSettings: GetSettings;
  readonly replaceSettings: ReplaceSettings;
  readonly patchSettings: PatchSettings;
  readonly suspendOrganization: SuspendOrganization;
  readonly recordDeniedAccess: RecordDeniedAccess;
  readonly issueToken: IssueToken;
  readonly refreshSession: RefreshSession;
  readonly endSession: EndSession;
  readonly changeOwnPassword: ChangeOwnPassword;
  readonly createUser: CreateUser;
  readonly changeUser: ChangeUser;
  readonly setPassword: SetPassword;
  readonly linkIdentity: LinkIdentity;
  readonly unlinkIdentity: UnlinkIdentity;
  readonly addMember: AddMember;
  readonly changeMemberRoles: ChangeMemberRoles;
  readonly removeMember: RemoveMember;
  readonly submitJob: SubmitJob;
  readonly provisionDatabase: ProvisionDatabase;
  readonly listDatabases: ListDatabases;
  readonly getDatabase: GetDatabase;
  /** For reads that need no use case. */
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
