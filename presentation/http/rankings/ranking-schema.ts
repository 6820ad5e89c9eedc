import { z } from 'zod';
import { RANKING_SORTS, type RankingKey } from '../../../domain/jobs/ranking.ts';
import { campaignParams } from '../campaigns/campaign-schema.ts';
import { posesReply } from '../job-outputs/job-output-schema.ts';
import { label } from '../jobs/job-schema.ts';
import { cursorOf, momentMs } from '../request/schema/cursor.ts';
import { count, decimal, flag, integerFrom, limit, pageOf, timestamp } from '../request/schema/fields.ts';

const MAX_SHOWN_POSES = 20;
const MAX_BINS = 200;
const MAX_EXPORTED_POSES = 1000;
const USUAL_EXPORTED_POSES = 100;
const ORDERS = ['asc', 'desc'] as const;

/** Where a page ends: the order that it was read in, the key of its last job there, and the rank of that job. */
export interface RankingPosition {
  readonly sort: (typeof RANKING_SORTS)[number];
  readonly order: (typeof ORDERS)[number];
  readonly key: RankingKey;
  readonly rank: number;
}

const positionParts = z.union([
  z.tuple([z.literal('affinity'), z.enum(ORDERS), z.number(), z.guid(), count]),
  z.tuple([z.literal('label'), z.enum(ORDERS), label.or(z.literal('')), z.guid(), count]),
  z.tuple([z.literal('created_at'), z.enum(ORDERS), momentMs, z.guid(), count]),
]);

export const rankingCursor = cursorOf<RankingPosition, z.output<typeof positionParts>>(
  positionParts,
  // A value has the type that its sort says.
  ({ sort, order, key: { value, jobId }, rank }) =>
    [sort, order, value, jobId, rank] as z.output<typeof positionParts>,
  ([sort, order, value, jobId, rank]) => ({ sort, order, key: { value, jobId }, rank }),
);

const filters = {
  sort: z.enum(RANKING_SORTS).default('affinity'),
  order: z.enum(ORDERS).default('asc'),
  min_affinity: decimal
    .optional()
    .meta({ description: 'In kcal/mol: only jobs that bind no better than this' }),
  max_affinity: decimal.optional().meta({ description: 'In kcal/mol: only jobs that bind as well as this' }),
  label_prefix: label.optional(),
  include_suspect: flag.meta({ description: 'Also jobs whose scores are doubted' }),
};
const poses = integerFrom(1, MAX_SHOWN_POSES)
  .default(1)
  .meta({
    description: 'How many poses of each job are shown',
    override: { type: 'integer', minimum: 1, maximum: MAX_SHOWN_POSES, pattern: undefined },
  });

export const rankingRequest = {
  params: campaignParams,
  query: z
    .strictObject({ ...filters, poses, limit, cursor: rankingCursor.schema })
    .refine(
      ({ sort, order, cursor }) => cursor === null || (cursor.sort === sort && cursor.order === order),
      {
        path: ['cursor'],
        error: 'is of a list with another sort or order',
      },
    ),
};
const { min_affinity, max_affinity, label_prefix, include_suspect } = filters;
export const histogramRequest = {
  params: campaignParams,
  query: z.strictObject({
    min_affinity,
    max_affinity,
    label_prefix,
    include_suspect,
    bins: integerFrom(2, MAX_BINS)
      .default(60)
      .meta({
        description: 'The most bins. There are fewer where the edges are round numbers',
        override: { type: 'integer', minimum: 2, maximum: MAX_BINS, pattern: undefined },
      }),
  }),
};
export const exportCsvRequest = { params: campaignParams, query: z.strictObject(filters) };
export const exportLinesRequest = { params: campaignParams, query: z.strictObject({ ...filters, poses }) };

export const exportPosesRequest = {
  params: campaignParams,
  query: z.strictObject({
    top: integerFrom(1, MAX_EXPORTED_POSES)
      .default(USUAL_EXPORTED_POSES)
      .meta({
        description: 'How many jobs, from the best on',
        override: { type: 'integer', minimum: 1, maximum: MAX_EXPORTED_POSES, pattern: undefined },
      }),
    min_affinity: filters.min_affinity,
    max_affinity: filters.max_affinity,
    label_prefix: filters.label_prefix,
    include_suspect: filters.include_suspect,
  }),
};

export const rankedJobReply = z
  .strictObject({
    rank: z
      .int()
      .min(1)
      .meta({ description: 'The place in this list, from 1 for the first of its first page' }),
    job_id: z.guid(),
    label: z.string().nullable(),
    best_affinity_kcal_mol: z.number(),
    pose_count: count,
    suspect: z.array(z.string()),
    ligand: z.strictObject({ file: z.string(), name: z.string().nullable() }).nullable(),
    poses: posesReply,
    artifacts: z.strictObject({
      poses: z.guid().nullable().meta({ description: 'The artifact with all poses of this job' }),
    }),
    created_at: timestamp,
  })
  .meta({ id: 'RankedJob' });
export const rankingPage = pageOf(rankedJobReply).meta({ id: 'RankingPage' });

export const histogramReply = z
  .strictObject({
    edges: z.array(z.number()).meta({
      description: 'In kcal/mol, ascending: one more than there are bins. Empty where no job matches',
    }),
    counts: z.array(count).meta({
      description: 'How many jobs score from `edges[i]` to below `edges[i + 1]`',
    }),
    below: count.meta({ description: 'Jobs below the first edge: the bins cover at most -25 to 0 kcal/mol' }),
    above: count.meta({ description: 'Jobs at the last edge or above it' }),
  })
  .meta({ id: 'AffinityHistogram' });
