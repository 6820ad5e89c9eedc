import type { z } from 'zod';
import type { InputSignature } from '../../../domain/jobs/input-signature.ts';
import type { signatureReply } from './input-signature-schema.ts';

export const presentSignature = (entry: InputSignature): z.output<typeof signatureReply> => ({
  signature: entry.signature,
  canonical_job_id: entry.canonicalJobId,
  confidence_score: entry.confidenceScore,
  hit_count: entry.hitCount,
  created_at: entry.createdAt.toISOString(),
  last_used_at: entry.lastUsedAt.toISOString(),
  expires_at: entry.expiresAt?.toISOString() ?? null,
  pinned: entry.pinned,
});
