import { authRoutes } from './auth/auth-routes.ts';
import { databaseRoutes } from './databases/database-routes.ts';
import type { HttpDependencies } from './http-dependencies.ts';
import { jobRoutes } from './jobs/job-routes.ts';
import { outputRoutes } from './job-outputs/job-output-routes.ts';
import { memberRoutes } from './members/member-routes.ts';
import { migrationRoutes } from './migrations/migration-routes.ts';
import { openApiDocument } from './docs/open-api-document.ts';
import { operationRoutes } from './monitoring/monitoring-routes.ts';
import { organizationRoutes } from './organizations/organization-routes.ts';
import type { Route } from './routing/route.ts';
import { userRoutes } from './users/user-routes.ts';

/** Every route of the service. The router, the checks and the documentation are made from this list. */
export const createRouteTable = (deps: HttpDependencies): readonly Route[] => {
  const ofJobs = [...jobRoutes(deps), ...outputRoutes];
  let document: string | undefined;
  const routes: readonly Route[] = [
    // First, as Express tries one after the other: nearly all requests are for these.
    ...ofJobs,
    ...authRoutes(deps),
    ...userRoutes(deps),
    ...organizationRoutes(deps),
    ...memberRoutes(deps),
    ...ofJobs.flatMap(byClaimAlone),
    ...databaseRoutes(deps),
    ...migrationRoutes(deps),
    ...operationRoutes(
      deps,
      () => (document ??= openApiDocument(routes, deps.options.maxOrganizationIdLength)),
    ),
  ];
  return routes;
};

const HOME = '/organizations/{org_id}';

/** The same route for a caller who leaves the organization to the token: `/jobs…`. */
const byClaimAlone = (route: Route): readonly Route[] =>
  route.path.startsWith(`${HOME}/jobs`)
    ? [{ ...route, path: route.path.slice(HOME.length), name: `${route.name}ByClaim` }]
    : [];
