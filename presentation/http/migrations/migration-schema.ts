import { z } from 'zod';
import { ITEM_STATES, RUN_STATES } from '../../../application/ports/fleet/fleet-ledger.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import { cursorOf, textCursor } from '../request/schema/cursor.ts';
import { count, limit, pageOf, timestamp } from '../request/schema/fields.ts';

/** PostgreSQL's largest `integer`. */
const MAX_RUN_ID = 2_147_483_647;
const runId = z.int().min(1).max(MAX_RUN_ID);

/** Runs are listed newest first. */
export const runCursor = cursorOf(
  runId,
  (key: number) => key,
  (key) => key,
);
/** A run's organizations are listed in the order of their ids. */
export const itemCursor = textCursor(ORGANIZATION_ID_PATTERN);

const params = z.object({
  run_id: z
    .string()
    .regex(/^\d{1,10}$/, 'must be the number of a run')
    .transform(Number)
    .pipe(runId)
    .meta({ override: { type: 'integer', minimum: 1, maximum: MAX_RUN_ID, pattern: undefined } }),
});

export const listRequest = { query: z.strictObject({ limit, cursor: runCursor.schema }) };
export const oneRequest = { params };
export const itemsRequest = {
  params,
  query: z.strictObject({ state: z.enum(ITEM_STATES).optional(), limit, cursor: itemCursor.schema }),
};

const run = z.strictObject({
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
});
export const runReply = run.meta({ id: 'MigrationRun' });
export const runPage = pageOf(runReply).meta({ id: 'MigrationRunPage' });

export const progressReply = run
  .extend({
    organizations: count,
    waves: count,
    counts: z.strictObject({ pending: count, running: count, deferred: count, done: count, failed: count }),
  })
  .meta({ id: 'MigrationProgress' });

export const itemReply = z
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
export const itemPage = pageOf(itemReply).meta({ id: 'MigrationItemPage' });
