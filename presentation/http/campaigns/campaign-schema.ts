import { z } from 'zod';
import type { CampaignKey } from '../../../domain/campaigns/campaign.ts';
import { JOB_STATUSES } from '../../../domain/jobs/docking-job.ts';
import { priority } from '../jobs/job-schema.ts';
import { cursorOf, momentMs } from '../request/schema/cursor.ts';
import {
  count,
  jsonObject,
  limit,
  optionalFlag,
  pageOf,
  printable,
  printableLines,
  slug,
  timestamp,
  uuid,
} from '../request/schema/fields.ts';

const MAX_NAME_LENGTH = 200;
const MAX_DESCRIPTION_LENGTH = 4000;

/** Campaigns are listed newest first. A key is the moment of creation in milliseconds, and the id. */
export const campaignCursor = cursorOf(
  z.tuple([momentMs, z.guid()]),
  ({ createdAt, campaignId }: CampaignKey): [number, string] => [createdAt.getTime(), campaignId],
  ([createdAtMs, campaignId]): CampaignKey => ({ createdAt: new Date(createdAtMs), campaignId }),
);

export const campaignParams = z.object({ campaign_id: uuid });

export const createRequest = {
  body: z
    .strictObject({
      name: printable(MAX_NAME_LENGTH),
      description: printableLines(MAX_DESCRIPTION_LENGTH).optional(),
      engine: slug(64).optional(),
      inputs: jsonObject
        .default({})
        .meta({ description: 'What its jobs have where they name no such input' }),
      params: jsonObject
        .default({})
        .meta({ description: 'What its jobs have where they name no such parameter' }),
      priority: priority.optional(),
    })
    .meta({
      example: {
        name: 'c-Abl, fragment library 3',
        engine: 'vina',
        inputs: { receptor: '1iep_receptor.pdbqt' },
        params: { exhaustiveness: 32 },
      },
    }),
};
export const listRequest = {
  query: z.strictObject({
    archived: optionalFlag.meta({ description: 'Only those that are archived, or only those that are not' }),
    limit,
    cursor: campaignCursor.schema,
  }),
};
export const campaignRequest = { params: campaignParams };
export const changeRequest = {
  params: campaignParams,
  body: z
    .strictObject({
      name: printable(MAX_NAME_LENGTH).optional(),
      archived: z.boolean().optional().meta({ description: 'An archived campaign takes no new jobs' }),
    })
    .meta({ example: { archived: true } }),
};

export const campaignReply = z
  .strictObject({
    campaign_id: z.guid(),
    name: z.string(),
    description: z.string().nullable(),
    engine: z.string().nullable(),
    inputs: jsonObject,
    params: jsonObject,
    priority: z.int().nullable(),
    created_by: z.string(),
    created_at: timestamp,
    updated_at: timestamp,
    archived_at: timestamp.nullable(),
  })
  .meta({ id: 'Campaign' });
export const campaignPage = pageOf(campaignReply).meta({ id: 'CampaignPage' });

// Each status has a count.
const statusCounts = Object.fromEntries(JOB_STATUSES.map((status) => [status, count])) as Record<
  (typeof JOB_STATUSES)[number],
  typeof count
>;
export const countsReply = z.strictObject({
  counts: z.strictObject(statusCounts),
  suspect: count.meta({ description: 'Completed jobs whose scores are doubted' }),
});
export const campaignStatusReply = campaignReply.extend(countsReply.shape).meta({ id: 'CampaignStatus' });
