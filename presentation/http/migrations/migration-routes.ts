import { MigrationRunNotFoundError } from '../../../domain/fleet/errors.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { platformRoute, type Route } from '../routing/route.ts';
import { presentItem, presentProgress, presentRun } from './migration-presenter.ts';
import {
  itemCursor,
  itemPage,
  itemsRequest,
  listRequest,
  oneRequest,
  progressReply,
  runCursor,
  runPage,
} from './migration-schema.ts';

const tag = 'migrations';
const path = '/admin/migrations';

export const migrationRoutes = (deps: HttpDependencies): readonly Route[] => [
  listRunsRoute(deps),
  getRunRoute(deps),
  listItemsRoute(deps),
];

const listRunsRoute = ({ fleet }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path,
    name: 'listMigrationRuns',
    summary: 'List runs that migrate or roll back results databases, newest first',
    tag,
    request: listRequest,
    replies: { 200: { description: 'One page', schema: runPage } },
    handle: async ({ input: { query } }) => {
      const page = await fleet.listRuns({ limit: query.limit, after: query.cursor });
      return ok(presentPage(page, presentRun, runCursor));
    },
  });

const getRunRoute = ({ fleet }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: `${path}/{run_id}`,
    name: 'getMigrationRun',
    summary: 'Show how far a run is',
    tag,
    request: oneRequest,
    replies: { 200: { description: 'The run', schema: progressReply } },
    errors: ['migration_run_not_found'],
    handle: async ({ input: { params } }) => {
      const progress = await fleet.progress(params.run_id);
      if (progress === null) throw new MigrationRunNotFoundError();
      return ok(presentProgress(progress));
    },
  });

const listItemsRoute = ({ fleet }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'get',
    path: `${path}/{run_id}/organizations`,
    name: 'listMigrationItems',
    summary: "List a run's organizations, how each ended and why, in the order of their ids",
    tag,
    request: itemsRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: itemPage } },
    errors: ['migration_run_not_found'],
    handle: async ({ input: { params, query } }) => {
      if ((await fleet.findRun(params.run_id)) === null) throw new MigrationRunNotFoundError();
      const filter = { state: query.state ?? null };
      const page = await fleet.listItems(params.run_id, filter, { limit: query.limit, after: query.cursor });
      return ok(presentPage(page, presentItem, itemCursor));
    },
  });
