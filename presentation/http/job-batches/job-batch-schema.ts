import { z } from 'zod';
import { DEFAULT_PIPELINE_VERSION, JOB_STATUSES } from '../../../domain/jobs/docking-job.ts';
import {
  campaignId,
  label,
  maxAttempts,
  maxRuntimeSeconds,
  priority,
  submissionParts,
  warningsReply,
} from '../jobs/job-schema.ts';
import { jsonObject, slug } from '../request/schema/fields.ts';

const MAX_ITEMS = 1000;

const item = z.strictObject({
  label: label.optional(),
  inputs: jsonObject.default({}),
  params: jsonObject.default({}),
});

export const submitBatchRequest = {
  ...submissionParts,
  body: z
    .strictObject({
      campaign_id: campaignId.optional(),
      engine: slug(64).optional().meta({ description: 'Needed unless the campaign has one' }),
      pipeline_version: slug(64).default(DEFAULT_PIPELINE_VERSION),
      inputs: jsonObject.default({}).meta({ description: 'Of all items that name no such input' }),
      params: jsonObject.default({}).meta({ description: 'Of all items that name no such parameter' }),
      priority: priority.optional(),
      max_attempts: maxAttempts.optional(),
      max_runtime_seconds: maxRuntimeSeconds.optional(),
      items: z.array(item).min(1).max(MAX_ITEMS),
    })
    .meta({
      example: {
        engine: 'vina',
        inputs: { receptor: '1iep_receptor.pdbqt' },
        params: { exhaustiveness: 32 },
        items: [
          { label: 'imatinib', inputs: { ligand: 'imatinib.pdbqt' } },
          { label: 'nilotinib', inputs: { ligand: 'nilotinib.pdbqt' } },
        ],
      },
    }),
};

export const batchReply = z
  .strictObject({
    batch_id: z.guid(),
    campaign_id: z.guid().nullable(),
    items: z.array(
      z.strictObject({
        index: z.int().min(0),
        job_id: z.guid(),
        status: z.enum(JOB_STATUSES),
        cache_hit: z.boolean(),
        warnings: warningsReply.optional(),
      }),
    ),
  })
  .meta({ id: 'JobBatch' });
