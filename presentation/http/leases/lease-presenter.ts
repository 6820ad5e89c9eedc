import type { z } from 'zod';
import type { Claimed } from '../../../application/jobs/claim-jobs.ts';
import type { JobAttempt } from '../../../domain/jobs/job-attempt.ts';
import { JsonText } from '../../../domain/json-text.ts';
import { presentJob } from '../jobs/job-presenter.ts';
import { jsonObject } from '../request/json-object.ts';
import type { attemptReply } from './lease-schema.ts';

export const presentClaim = ({ items, retryAfterSeconds }: Claimed): JsonText => {
  const texts = items.map(({ job, lease }) => {
    const { leaseId, attempt, expiresAt, maxRuntimeSeconds } = lease;
    const fields = {
      lease: {
        lease_id: leaseId,
        attempt,
        expires_at: expiresAt.toISOString(),
        max_runtime_seconds: maxRuntimeSeconds,
      },
    };
    return jsonObject(fields, { job: presentJob(job) }).text;
  });
  return jsonObject(
    { retry_after_seconds: retryAfterSeconds },
    { items: new JsonText(`[${texts.join(',')}]`) },
  );
};

export const presentAttempt = (attempt: JobAttempt): z.output<typeof attemptReply> => ({
  attempt: attempt.attempt,
  worker: attempt.worker,
  started_at: attempt.startedAt.toISOString(),
  expires_at: attempt.expiresAt.toISOString(),
  ended_at: attempt.endedAt?.toISOString() ?? null,
  outcome: attempt.outcome,
  release_reason: attempt.releaseReason,
  error: attempt.error,
  usage:
    attempt.usage === null
      ? null
      : {
          wall_seconds: attempt.usage.wallSeconds ?? null,
          cpu_seconds: attempt.usage.cpuSeconds ?? null,
        },
  log_tail: attempt.logTail,
});
