import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  Outlet,
} from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { LAB_PAGES } from './lab/lab-pages.ts';
import { useFleetEvents, useOrganizationEvents } from './live.ts';
import { FLEET_PAGES } from './shell/fleet-pages.ts';
import type { PageRoute } from './shell/page-route.ts';
import { CONSOLE_BASE } from './places.ts';
import { usePerson } from './session.ts';
import { Frame } from './shell/frame.tsx';
import { parseSearch, stringifySearch } from './shell/search.ts';
import { Empty, Page } from './ui/page.tsx';
import { Loading } from './ui/loading.tsx';
import { Problem } from './ui/problem.tsx';

/** Where somebody begins: at the fleet, or in the first organization. */
const Beginning = (): ReactNode => {
  const { platformAdmin, memberships } = usePerson();
  const [first] = memberships;
  if (platformAdmin) return <Navigate to="/fleet" replace />;
  if (first !== undefined) return <Navigate to="/o/$orgId" params={{ orgId: first.org_id }} replace />;
  return (
    <main>
      <Page title="Welcome">
        <Empty>You belong to no organization yet. Ask an administrator of yours to add you.</Empty>
      </Page>
    </main>
  );
};

/** Only for operators: others could not follow the fleet. */
const OperatorFrame = (): ReactNode => {
  useFleetEvents();
  return <Frame context={null} />;
};

const FleetFrame = (): ReactNode => {
  if (usePerson().platformAdmin) return <OperatorFrame />;
  return (
    <main>
      <Page title="For operators">
        <Empty>
          These pages are for platform administrators. Ask one of them, or go back to your organization.
        </Empty>
      </Page>
    </main>
  );
};

const NotFound = (): ReactNode => (
  <Page title="There is no such page">
    <p>The address may be mistyped. Ctrl K leads to any page.</p>
  </Page>
);

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });
const beginning = createRoute({ getParentRoute: () => root, path: '/', component: Beginning });
const fleet = createRoute({ getParentRoute: () => root, path: '/fleet', component: FleetFrame });
const organization = createRoute({
  getParentRoute: () => root,
  path: '/o/$orgId',
  component: () => <OrganizationFrame />,
});

const OrganizationFrame = (): ReactNode => {
  const { orgId } = organization.useParams();
  useOrganizationEvents(orgId);
  return <Frame key={orgId} context={orgId} />;
};

const pagesOf = (parent: typeof fleet | typeof organization, pages: readonly PageRoute[]) =>
  pages.map(({ path, load }) =>
    createRoute({ getParentRoute: () => parent, path, component: lazyRouteComponent(load, 'Page') }),
  );

/** Pages are loaded when they are first opened. */
export const makeRouter = () =>
  createRouter({
    routeTree: root.addChildren([
      beginning,
      fleet.addChildren(pagesOf(fleet, FLEET_PAGES)),
      organization.addChildren(pagesOf(organization, LAB_PAGES)),
    ]),
    basepath: CONSOLE_BASE,
    parseSearch,
    stringifySearch,
    defaultPendingComponent: () => <Loading />,
    defaultErrorComponent: ({ error, reset }) => <Problem error={error} retry={reset} />,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
