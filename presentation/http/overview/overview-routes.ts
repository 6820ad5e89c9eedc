import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { platformRoute, type Route } from '../routing/route.ts';
import { presentInstance, presentOverview } from './overview-presenter.ts';
import { instanceList, overviewReply } from './overview-schema.ts';

const tag = 'operations';

export const overviewRoutes = (deps: HttpDependencies): readonly Route[] => [
  getOverviewRoute(deps),
  listInstancesRoute(deps),
];

const getOverviewRoute = ({ getOverview }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/overview',
    name: 'getOverview',
    summary: 'Show what is wrong and what to do about it, and the numbers of the whole deployment',
    tag,
    request: {},
    replies: { 200: { description: 'As it was 2 s ago at most', schema: overviewReply } },
    handle: async () => ok(presentOverview(await getOverview())),
  });

const listInstancesRoute = ({ processes, instanceId }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/instances',
    name: 'listInstances',
    summary: 'List the processes of the deployment as each described itself in the last 5 s',
    tag,
    request: {},
    replies: { 200: { description: 'All that were heard of in the last minute', schema: instanceList } },
    handle: async () => ok({ items: (await processes.list()).map(presentInstance(instanceId)) }),
  });
