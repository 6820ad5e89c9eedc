import type { z } from 'zod';
import type { JobBatch } from '../../../domain/jobs/job-batch.ts';
import type { batchReply } from './job-batch-schema.ts';

export const presentBatch = ({ batchId, campaignId, items }: JobBatch): z.output<typeof batchReply> => ({
  batch_id: batchId,
  campaign_id: campaignId,
  items: items.map(({ jobId, status, cacheHit }, index) => ({
    index,
    job_id: jobId,
    status,
    cache_hit: cacheHit,
  })),
});
