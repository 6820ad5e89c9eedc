import { z } from 'zod';
import { ITEM_STATES, RUN_STATES } from '../../../application/ports/fleet/fleet-ledger.ts';
import { ORGANIZATION_ID_PATTERN } from '../../../domain/organizations/organization-id.ts';
import { cursorOf, textCursor } from '../request/schema/cursor.ts';
import { count, limit, organizationId, pageOf, timestamp } from '../request/schema/fields.ts';

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
/** So many fit into a usual body; more are named at the command line. */
const MAX_NAMED = 50;
const MAX_ORGANIZATIONS = 1_000_000;
const MAX_VERSION = 10_000;

/** A number of organizations, or a share of those that are to be migrated. */
const quantity = (min: number) =>
  z
    .union([
      z.int().min(min).max(MAX_ORGANIZATIONS),
      z.string().regex(/^(?:100|[1-9]?\d)%$/, 'must be a number, or a share such as "25%"'),
    ])
    .transform((value) =>
      typeof value === 'number' ? { count: value } : { percent: Number(value.slice(0, -1)) },
    )
    .meta({
      description: 'A number of organizations, or a share of those that are to be migrated, such as `25%`',
      override: {
        oneOf: [
          { type: 'integer', minimum: min },
          { type: 'string', pattern: '^(100|[1-9]?[0-9])%$' },
        ],
      },
    });

const named = (maxOrganizationIdLength: number) =>
  z.array(organizationId(maxOrganizationIdLength)).min(1).max(MAX_NAMED);

export const startRequest = (maxOrganizationIdLength: number) => ({
  body: z
    .strictObject({
      kind: z
        .literal('migrate')
        .default('migrate')
        .meta({ description: 'Rollbacks belong to the run that they take back' }),
      target: z
        .int()
        .min(1)
        .max(MAX_VERSION)
        .optional()
        .meta({ description: 'Schema version; the newest by default' }),
      org_ids: named(maxOrganizationIdLength).optional().meta({ description: 'These alone; all by default' }),
      canaries: z
        .union([z.int().min(0).max(MAX_ORGANIZATIONS), named(maxOrganizationIdLength)])
        .default(1)
        .meta({ description: 'So many, or these, go first and alone' }),
      wave: quantity(1).default({ percent: 25 }),
      error_budget: quantity(0)
        .default({ percent: 5 })
        .meta({ description: 'Failures that it takes without halting; a failing canary always halts it' }),
      dry_run: z.boolean().default(false).meta({ description: 'Only say what would be done' }),
      seen_run_id: runId
        .nullable()
        .optional()
        .meta({ description: 'The latest run that you saw, null for none: 409 when another one was begun' }),
    })
    .meta({ example: { canaries: 1, wave: '25%', error_budget: '5%', dry_run: true } }),
});

const seen = {
  state: z.enum(RUN_STATES).meta({ description: 'As you saw it: 409 when it has another one by now' }),
  failed: count
    .optional()
    .meta({ description: 'Failed organizations that you saw: 409 when they are others by now' }),
};
export const steerRequest = {
  params,
  body: z.strictObject(seen).meta({ example: { state: 'running' } }),
};
export const retryRequest = (maxOrganizationIdLength: number) => ({
  params,
  body: z
    .strictObject({
      ...seen,
      org_ids: named(maxOrganizationIdLength)
        .optional()
        .meta({ description: 'These alone; all that failed by default' }),
    })
    .meta({ example: { state: 'halted', failed: 2 } }),
});
export const rollbackRequest = (maxOrganizationIdLength: number) => ({
  params,
  body: z
    .strictObject({
      ...seen,
      org_ids: named(maxOrganizationIdLength).optional(),
      wave: z
        .int()
        .min(0)
        .max(MAX_ORGANIZATIONS)
        .optional()
        .meta({ description: 'Those of this wave; 0: the canaries' }),
      target: z
        .int()
        .min(0)
        .max(MAX_VERSION)
        .optional()
        .meta({ description: 'Schema version; by default what each had before the run' }),
    })
    .refine(({ org_ids, wave }) => (org_ids === undefined) !== (wave === undefined), {
      path: ['org_ids'],
      error: 'must be given, or else "wave"',
    })
    .meta({ example: { state: 'halted', wave: 0 } }),
});
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
  served: z.boolean().meta({ description: 'Whether processes of the service work on it' }),
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

export const startReply = z
  .strictObject({
    plan: z.strictObject({
      target_version: z.int(),
      organizations: count,
      waves: z.array(count).meta({ description: 'Organizations of each wave, the canaries first' }),
      sample: z.array(z.string()).meta({ description: 'The first 100, in the order of the waves' }),
      skipped: z.strictObject({ current: count, ahead: count, not_ready: count, no_database: count }),
    }),
    run: progressReply.nullable().meta({ description: 'null: a dry run, or nothing is to be done' }),
  })
  .meta({ id: 'StartedMigration' });

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
