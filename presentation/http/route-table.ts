import { auditLogRoutes } from './audit-logs/audit-log-routes.ts';
import { authRoutes } from './auth/auth-routes.ts';
import { campaignRoutes } from './campaigns/campaign-routes.ts';
import { databaseRoutes } from './databases/database-routes.ts';
import { docsRoutes } from './docs/docs-routes.ts';
import { openApiDocument } from './docs/open-api-document.ts';
import { eventRoutes } from './events/event-routes.ts';
import { fileRoutes } from './files/file-routes.ts';
import type { HttpDependencies } from './http-dependencies.ts';
import { consoleRoutes } from './console/console-routes.ts';
import { configurationRoutes } from './configuration/configuration-routes.ts';
import { findingRoutes } from './findings/finding-routes.ts';
import { identityRoutes } from './identities/identity-routes.ts';
import { inputSignatureRoutes } from './input-signatures/input-signature-routes.ts';
import { jobBatchRoutes } from './job-batches/job-batch-routes.ts';
import { jobOutputRoutes } from './job-outputs/job-output-routes.ts';
import { jobRoutes } from './jobs/job-routes.ts';
import { jobsAtOnceRoutes, leaseRoutes } from './leases/lease-routes.ts';
import { memberRoutes } from './members/member-routes.ts';
import { migrationRoutes } from './migrations/migration-routes.ts';
import { monitoringRoutes } from './monitoring/monitoring-routes.ts';
import { organizationRoutes } from './organizations/organization-routes.ts';
import { overviewRoutes } from './overview/overview-routes.ts';
import { queueRoutes } from './queue/queue-routes.ts';
import { rankingRoutes } from './rankings/ranking-routes.ts';
import type { Route } from './routing/route.ts';
import { serviceAccountRoutes } from './service-accounts/service-account-routes.ts';
import { serverRoutes } from './servers/server-routes.ts';
import { settingsRoutes } from './settings/settings-routes.ts';
import { taskRoutes } from './tasks/task-routes.ts';
import { workRoutes } from './work/work-routes.ts';
import { usageRoutes } from './usage/usage-routes.ts';
import { userRoutes } from './users/user-routes.ts';

/**
 * Every route of the service. The app, the checks of the input, the authorization and the documentation are all made
 * from this list. Express tries routes in this order, so what nearly all requests ask for comes first.
 */
export const createRouteTable = (deps: HttpDependencies): readonly Route[] => {
  const ofResults = [
    ...jobsAtOnceRoutes(deps),
    ...jobRoutes(deps),
    ...jobOutputRoutes(deps),
    ...leaseRoutes(deps),
    ...jobBatchRoutes(deps),
    ...campaignRoutes(deps),
    ...rankingRoutes(deps),
    ...inputSignatureRoutes(),
    ...queueRoutes(deps),
    ...eventRoutes(deps),
    ...fileRoutes(deps),
  ];
  const routes: readonly Route[] = [
    ...ofResults,
    ...workRoutes(deps),
    ...authRoutes(deps),
    ...consoleRoutes(deps),
    ...userRoutes(deps),
    ...identityRoutes(deps),
    ...organizationRoutes(deps),
    ...settingsRoutes(deps),
    ...auditLogRoutes(deps),
    ...usageRoutes(deps),
    ...memberRoutes(deps),
    ...overviewRoutes(deps),
    ...findingRoutes(deps),
    ...taskRoutes(deps),
    ...configurationRoutes(deps),
    ...serviceAccountRoutes(deps),
    ...ofResults.map(byClaimAlone),
    ...databaseRoutes(deps),
    ...serverRoutes(deps),
    ...migrationRoutes(deps),
    ...monitoringRoutes(deps),
    ...docsRoutes(() => openApiDocument(routes, deps.options)),
  ];
  return routes;
};

const HOME = '/organizations/{org_id}';

/** The same route for callers who leave the organization to their token: `/jobs…`. */
const byClaimAlone = (route: Route): Route => ({
  ...route,
  path: route.path.slice(HOME.length),
  name: `${route.name}ByClaim`,
  tag: 'jobs by claim',
});
