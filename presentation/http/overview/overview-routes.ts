import { hasAnyRole } from '../../../domain/identity/principal.ts';
import { HttpError } from '../errors/http-error.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { EventStream } from '../request/event-stream.ts';
import { ok } from '../request/reply.ts';
import { EVENT_STREAM_TYPE, platformRoute, platformStreamRoute, type Route } from '../routing/route.ts';
import { presentInstance, presentOperatorEvent, presentOverview } from './overview-presenter.ts';
import { instanceList, overviewReply } from './overview-schema.ts';

const tag = 'operations';

export const overviewRoutes = (deps: HttpDependencies): readonly Route[] => [
  getOverviewRoute(deps),
  listInstancesRoute(deps),
  followFleetRoute(deps),
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

const followFleetRoute = (deps: HttpDependencies): Route =>
  platformStreamRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/events',
    name: 'followFleet',
    summary:
      'Follow the overview, the migration run and the findings as server-sent events, until the token ends',
    tag,
    request: {},
    replies: {
      200: {
        description:
          'How each of them is at first, and then whenever it has changed: `overview`, `run`, `finding`',
        contentType: EVENT_STREAM_TYPE,
      },
    },
    errors: ['too_many_streams', 'not_acceptable'],
    handle: ({ bearer, prefersEvents }) => {
      if (!prefersEvents) throw new HttpError('not_acceptable', ONLY_EVENTS);
      const mayRead = mayFollow(deps, bearer);
      const open = () => deps.operatorStreams.open(mayRead);
      return ok(new EventStream({ open, present: presentOperatorEvent, mayRead }));
    },
  });

const ONLY_EVENTS = 'This is a stream: ask for "Accept: text/event-stream". GET /admin/overview is the page.';

/** Whether a new request of the caller would be served at this moment. */
const mayFollow =
  ({ verifyToken }: HttpDependencies, bearer: string) =>
  async (): Promise<boolean> => {
    try {
      return hasAnyRole(await verifyToken(bearer), ['platform_admin']);
    } catch {
      return false;
    }
  };
