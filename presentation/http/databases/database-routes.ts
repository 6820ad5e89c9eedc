import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { organizationRoute, platformRoute, type Route } from '../routing/route.ts';
import { presentDatabase } from './database-presenter.ts';
import {
  databaseCursor,
  databasePage,
  databaseReply,
  listRequest,
  retireReply,
  retireRequest,
} from './database-schema.ts';

const tag = 'databases';
const path = '/admin/databases';

export const databaseRoutes = (deps: HttpDependencies): readonly Route[] => [
  listDatabasesRoute(deps),
  getDatabaseRoute(deps),
  provisionDatabaseRoute(deps),
  retireDatabaseRoute(deps),
];

const listDatabasesRoute = ({ listDatabases }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'listDatabases',
    summary: 'List results databases in the order of the organization ids; opens none',
    tag,
    request: listRequest,
    replies: { 200: { description: 'One page', schema: databasePage } },
    handle: async ({ input: { query }, pages }) => {
      const filter = { state: query.state ?? null, serverId: query.server_id ?? null };
      const page = await pages.read(query, (wanted) => listDatabases(filter, wanted));
      return ok(presentPage(page, presentDatabase, databaseCursor));
    },
  });

const getDatabaseRoute = ({ getDatabase }: HttpDependencies): Route =>
  organizationRoute(['platform_admin'], {
    method: 'get',
    path: `${path}/{org_id}`,
    name: 'getDatabase',
    summary: "Show an organization's results database; does not open it",
    tag,
    request: {},
    replies: { 200: { description: 'The database', schema: databaseReply } },
    errors: ['organization_not_found', 'organization_database_not_found'],
    handle: async ({ organizationId }) => ok(presentDatabase(await getDatabase(organizationId))),
  });

const provisionDatabaseRoute = ({ provisionDatabase }: HttpDependencies): Route =>
  organizationRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/{org_id}/provision`,
    name: 'provisionDatabase',
    summary: "Make an organization's results database, or find it ready",
    tag,
    request: {},
    replies: { 200: { description: 'The database, ready', schema: databaseReply } },
    errors: [
      'organization_not_found',
      'organization_suspended',
      'organization_not_ready',
      'database_provisioning_failed',
      'no_server_available',
    ],
    handle: async ({ actor, organizationId }) =>
      ok(presentDatabase(await provisionDatabase(actor, organizationId))),
  });

const retireDatabaseRoute = ({ retireAsOperator }: HttpDependencies): Route =>
  organizationRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/{org_id}/retire`,
    name: 'retireDatabase',
    summary: "Put an organization's database aside with its data; the next access makes an empty one",
    tag,
    request: retireRequest,
    isDangerous: true,
    replies: { 200: { description: 'Put aside', schema: retireReply } },
    errors: [
      'organization_database_not_found',
      'state_conflict',
      'organization_not_ready',
      'database_provisioning_failed',
    ],
    handle: async ({ actor, organizationId, input: { body } }) => {
      const renamedTo = await retireAsOperator(actor, organizationId, body.seen_generation);
      return ok({ org_id: organizationId, renamed_to: renamedTo });
    },
  });
