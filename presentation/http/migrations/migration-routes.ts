import { z } from 'zod';
import {
  ITEM_STATES,
  RUN_STATES,
  type FleetItem,
  type FleetProgress,
  type FleetRun,
} from '../../../application/ports/fleet/fleet-ledger.ts';
import { MigrationRunNotFoundError } from '../../../domain/exceptions.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { platformRoute, type Route } from '../routing/route.ts';
import { cursorOf, presentPage, textCursor } from '../request/schema/cursor.ts';
import { limit, pageOf, timestamp } from '../request/schema/fields.ts';

const tag = 'migrations';
const MAX_RUN_ID = 2_147_483_647;
const count = z.int().min(0);
const runId = z.int().min(1).max(MAX_RUN_ID);

const runCursor = cursorOf(
  runId,
  (key: number) => key,
  (key) => key,
);
const itemCursor = textCursor(ORGANIZATION_ID_PATTERN);

const runParams = z.object({
  run_id: z
    .string()
    .regex(/^\d{1,10}$/, 'must be the number of a run')
    .transform(Number)
    .pipe(runId)
    .meta({ override: { type: 'integer', minimum: 1, maximum: MAX_RUN_ID, pattern: undefined } }),
});

const runFields = {
  run_id: z.int(),
  kind: z.enum(['migrate', 'rollback']),
  target_version: z.int().nullable().meta({ description: 'null: each goes back to where it came from' }),
  state: z.enum(RUN_STATES),
  reason: z.string().nullable(),
  wave: count.meta({ description: 'The wave under way; 0: the canaries' }),
  error_budget: count,
  created_at: timestamp,
  updated_at: timestamp,
  finished_at: timestamp.nullable(),
};
const runReply = z.strictObject(runFields).meta({ id: 'MigrationRun' });
const progressReply = z
  .strictObject({
    ...runFields,
    organizations: count,
    waves: count,
    counts: z.strictObject({ pending: count, running: count, deferred: count, done: count, failed: count }),
  })
  .meta({ id: 'MigrationProgress' });
const itemReply = z
  .strictObject({
    org_id: z.string(),
    wave: count,
    state: z.enum(ITEM_STATES),
    from_version: count,
    to_version: count,
    attempts: count,
    error: z.string().nullable().meta({ description: 'Why it failed, or waits' }),
    duration_ms: count.nullable(),
    updated_at: timestamp,
  })
  .meta({ id: 'MigrationItem' });

export const migrationRoutes = ({ fleet }: HttpDependencies): readonly Route[] => [
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/migrations',
    name: 'listMigrationRuns',
    summary: 'List runs that migrate or roll back results databases, newest first',
    tag,
    request: { query: z.strictObject({ limit, cursor: runCursor.schema }) },
    replies: { 200: { description: 'One page', schema: pageOf(runReply).meta({ id: 'MigrationRunPage' }) } },
    handle: async ({ input: { query } }) => {
      const page = await fleet.listRuns({ limit: query.limit, after: query.cursor });
      return ok(presentPage(page, presentRun, runCursor));
    },
  }),
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/migrations/{run_id}',
    name: 'getMigrationRun',
    summary: 'Show how far a run is',
    tag,
    request: { params: runParams },
    replies: { 200: { description: 'The run', schema: progressReply } },
    errors: ['migration_run_not_found'],
    handle: async ({ input: { params } }) => {
      const progress = await fleet.progress(params.run_id);
      if (progress === null) throw new MigrationRunNotFoundError();
      return ok(presentProgress(progress));
    },
  }),
  platformRoute(['platform_admin'], {
    method: 'get',
    path: '/admin/migrations/{run_id}/organizations',
    name: 'listMigrationItems',
    summary: "List a run's organizations, how each ended and why, in the order of their ids",
    tag,
    request: {
      params: runParams,
      query: z.strictObject({ state: z.enum(ITEM_STATES).optional(), limit, cursor: itemCursor.schema }),
    },
    replies: {
      200: { description: 'One page', schema: pageOf(itemReply).meta({ id: 'MigrationItemPage' }) },
    },
    errors: ['migration_run_not_found'],
    handle: async ({ input: { params, query } }) => {
      if ((await fleet.findRun(params.run_id)) === null) throw new MigrationRunNotFoundError();
      const filter = { state: query.state ?? null };
      const page = await fleet.listItems(params.run_id, filter, { limit: query.limit, after: query.cursor });
      return ok(presentPage(page, presentItem, itemCursor));
    },
  }),
];

const presentRun = (run: FleetRun) => ({
  run_id: run.runId,
  kind: run.kind,
  target_version: run.targetVersion,
  state: run.state,
  reason: run.reason,
  wave: run.wave,
  error_budget: run.errorBudget,
  created_at: run.createdAt.toISOString(),
  updated_at: run.updatedAt.toISOString(),
  finished_at: run.finishedAt?.toISOString() ?? null,
});

const presentProgress = ({ run, organizations, waves, counts }: FleetProgress) => ({
  ...presentRun(run),
  organizations,
  waves,
  counts,
});

const presentItem = (item: FleetItem) => ({
  org_id: item.organizationId,
  wave: item.wave,
  state: item.state,
  from_version: item.fromVersion,
  to_version: item.toVersion,
  attempts: item.attempts,
  error: item.error,
  duration_ms: item.durationMs,
  updated_at: item.updatedAt.toISOString(),
});
