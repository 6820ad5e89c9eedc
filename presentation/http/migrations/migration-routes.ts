import { MigrationRunNotFoundError } from '../../../domain/fleet/errors.ts';
import type { RunState } from '../../../application/ports/fleet/fleet-ledger.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { platformRoute, type Route } from '../routing/route.ts';
import { presentItem, presentProgress, presentRun, presentStart } from './migration-presenter.ts';
import {
  itemCursor,
  itemPage,
  itemsRequest,
  listRequest,
  oneRequest,
  progressReply,
  retryRequest,
  rollbackRequest,
  runCursor,
  runPage,
  startReply,
  startRequest,
  steerRequest,
} from './migration-schema.ts';

const tag = 'migrations';
const path = '/admin/migrations';

export const migrationRoutes = (deps: HttpDependencies): readonly Route[] => [
  listRunsRoute(deps),
  getRunRoute(deps),
  listItemsRoute(deps),
  startRunRoute(deps),
  pauseRunRoute(deps),
  resumeRunRoute(deps),
  retryRunRoute(deps),
  rollBackRunRoute(deps),
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
    handle: async ({ input: { query }, pages }) => {
      const page = await pages.read(query, (wanted) => fleet.listRuns(wanted));
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
    handle: async ({ input: { params, query }, pages }) => {
      const filter = { state: query.state ?? null };
      const page = await pages.read(query, (wanted) => fleet.listItems(params.run_id, filter, wanted));
      // A run has organizations. An empty page may belong to an unknown one.
      if (page.items.length === 0 && (await fleet.findRun(params.run_id)) === null)
        throw new MigrationRunNotFoundError();
      return ok(presentPage(page, presentItem, itemCursor));
    },
  });

const startRunRoute = ({ steering, assertOrganizations, options }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path,
    name: 'startMigrationRun',
    summary: 'Begin to migrate organizations, canaries first, then wave after wave; the service works on it',
    tag,
    request: startRequest(options.maxOrganizationIdLength),
    replies: {
      200: { description: 'What would be done, or that nothing is to be done', schema: startReply },
      201: { description: 'Begun', schema: startReply },
    },
    errors: ['migration_state_conflict', 'organization_not_found'],
    handle: async ({ actor, input: { body } }) => {
      const { org_ids: only, canaries, target, seen_run_id: seenRunId } = body;
      await assertOrganizations([...(only ?? []), ...(typeof canaries === 'number' ? [] : canaries)]);
      const started = await steering.start(actor, {
        only: only === undefined ? null : new Set(only),
        canaries,
        waveSize: body.wave,
        errorBudget: body.error_budget,
        isDryRun: body.dry_run,
        ...(target !== undefined && { target }),
        ...(seenRunId !== undefined && { seenRunId }),
      });
      const reply = presentStart(started);
      return started.progress === null ? ok(reply) : created(reply, `${path}/${started.progress.run.runId}`);
    },
  });

const seenOf = ({ state, failed }: { readonly state: RunState; readonly failed?: number | undefined }) => ({
  state,
  ...(failed !== undefined && { failed }),
});

const steered = {
  replies: { 200: { description: 'The run as it is now', schema: progressReply } },
  errors: ['migration_run_not_found', 'migration_state_conflict'],
} as const;

const pauseRunRoute = ({ steering }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/{run_id}/pause`,
    name: 'pauseMigrationRun',
    summary: 'Let a run begin nothing more; databases under way are finished',
    tag,
    request: steerRequest,
    ...steered,
    handle: async ({ actor, input: { params, body } }) =>
      ok(presentProgress(await steering.pause(actor, params.run_id, seenOf(body)))),
  });

const resumeRunRoute = ({ steering }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/{run_id}/resume`,
    name: 'resumeMigrationRun',
    summary: 'Go on with a run that is paused, halted or set aside; its failures so far count as accepted',
    tag,
    request: steerRequest,
    ...steered,
    handle: async ({ actor, input: { params, body } }) =>
      ok(presentProgress(await steering.resume(actor, params.run_id, seenOf(body)))),
  });

const retryRunRoute = ({ steering, options }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/{run_id}/retry`,
    name: 'retryMigrationRun',
    summary: 'Try organizations again that failed in the latest run',
    tag,
    request: retryRequest(options.maxOrganizationIdLength),
    ...steered,
    handle: async ({ actor, input: { params, body } }) => {
      const seen = { ...seenOf(body), only: body.org_ids ?? null };
      return ok(presentProgress(await steering.retry(actor, params.run_id, seen)));
    },
  });

const rollBackRunRoute = ({ steering, options }: HttpDependencies): Route =>
  platformRoute(['platform_admin'], {
    method: 'post',
    path: `${path}/{run_id}/rollback`,
    name: 'rollBackMigrationRun',
    summary:
      'Take organizations of the latest run back, in a run of its own; drops what the migrations made, rows and all',
    tag,
    request: rollbackRequest(options.maxOrganizationIdLength),
    isDangerous: true,
    replies: { 201: { description: 'The run that takes them back', schema: progressReply } },
    errors: steered.errors,
    handle: async ({ actor, input: { params, body } }) => {
      const { org_ids: ids, wave = 0, target } = body;
      const progress = await steering.rollBack(actor, params.run_id, {
        ...seenOf(body),
        of: ids ?? { wave },
        ...(target !== undefined && { target }),
      });
      return created(presentProgress(progress), `${path}/${progress.run.runId}`);
    },
  });
