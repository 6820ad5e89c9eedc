import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { platformRoute, type Route } from '../routing/route.ts';
import { presentServer } from './server-presenter.ts';
import { changeRequest, oneRequest, serverList, serverReply } from './server-schema.ts';

const tag = 'servers';
const path = '/admin/servers';

export const serverRoutes = (deps: HttpDependencies): readonly Route[] => [
  listServersRoute(deps),
  getServerRoute(deps),
  changeServerRoute(deps),
];

const listServersRoute = ({ listServers }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'listServers',
    summary: 'List the servers of results databases in the order of their ids',
    tag,
    request: {},
    replies: { 200: { description: 'All servers', schema: serverList } },
    handle: async () => ok({ items: (await listServers()).map(presentServer) }),
  });

const getServerRoute = ({ getServer }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: `${path}/{server_id}`,
    name: 'getServer',
    summary: 'Show a server of results databases',
    tag,
    request: oneRequest,
    replies: { 200: { description: 'The server', schema: serverReply } },
    errors: ['server_not_found'],
    handle: async ({ input: { params } }) => ok(presentServer(await getServer(params.server_id))),
  });

const changeServerRoute = ({ changeServer }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'patch',
    path: `${path}/{server_id}`,
    name: 'changeServer',
    summary: 'Change what a server may take; no database that is there is moved',
    tag,
    request: changeRequest,
    replies: { 200: { description: 'The server as it is now', schema: serverReply } },
    errors: ['server_not_found', 'state_conflict'],
    handle: async ({ actor, input: { params, body } }) => {
      const { status, weight, max_databases: maxDatabases, labels } = body;
      const changes = {
        ...(status !== undefined && { status }),
        ...(weight !== undefined && { weight }),
        ...(maxDatabases !== undefined && { maxDatabases }),
        ...(labels !== undefined && { labels }),
      };
      return ok(presentServer(await changeServer(actor, params.server_id, changes, body.seen_status)));
    },
  });
