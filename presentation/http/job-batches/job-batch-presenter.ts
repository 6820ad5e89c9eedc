import type { z } from 'zod';
import type { SubmittedBatch } from '../../../application/jobs/submit-batch.ts';
import { presentWarnings } from '../jobs/job-presenter.ts';
import type { batchReply } from './job-batch-schema.ts';

export const presentBatch = ({
  batch: { batchId, campaignId, items },
  warnings,
}: SubmittedBatch): z.output<typeof batchReply> => ({
  batch_id: batchId,
  campaign_id: campaignId,
  items: items.map(({ jobId, status, cacheHit }, index) => ({
    index,
    job_id: jobId,
    status,
    cache_hit: cacheHit,
    ...presentWarnings(warnings[index] ?? []),
  })),
});
