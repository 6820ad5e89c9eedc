import { z } from 'zod';
import { INPUT_SIGNATURE_PATTERN } from '../../../domain/jobs/input-signature.ts';
import { timestamp } from '../request/schema/fields.ts';

export const signatureRequest = {
  params: z.object({
    signature: z.string().regex(INPUT_SIGNATURE_PATTERN, 'must be 64 lower-case hex digits'),
  }),
};

export const signatureReply = z
  .strictObject({
    signature: z.string(),
    canonical_job_id: z.guid(),
    confidence_score: z.number().nullable(),
    hit_count: z.int(),
    created_at: timestamp,
    last_used_at: timestamp,
    expires_at: timestamp.nullable(),
    pinned: z
      .boolean()
      .meta({ description: 'A pinned entry does not expire, and no later job replaces its job' }),
  })
  .meta({ id: 'InputSignature' });
