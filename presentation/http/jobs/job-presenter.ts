import type { z } from 'zod';
import type { DockingJob, JobSummary } from '../../../domain/jobs/docking-job.ts';
import type { Submitted } from '../../../application/jobs/submit-job.ts';
import type { JsonText } from '../../../domain/json-text.ts';
import { jsonObject } from '../request/json-object.ts';
import type { jobSummaryReply, warningsReply } from './job-schema.ts';

export const presentJob = (job: DockingJob): JsonText => {
  const { inputs, params } = job;
  return jsonObject(presentJobSummary(job), { inputs, params });
};

export const presentSubmitted = ({ job, warnings }: Submitted): JsonText => {
  const { inputs, params } = job;
  return jsonObject({ ...presentJobSummary(job), ...presentWarnings(warnings) }, { inputs, params });
};

/** Nothing where there are none. */
export const presentWarnings = (
  warnings: Submitted['warnings'],
): { warnings?: z.output<typeof warningsReply> } => (warnings.length > 0 ? { warnings: [...warnings] } : {});

export const presentJobSummary = (job: JobSummary): z.output<typeof jobSummaryReply> => ({
  job_id: job.jobId,
  status: job.status,
  engine: job.engine,
  pipeline_version: job.pipelineVersion,
  priority: job.priority,
  input_signature: job.inputSignature,
  submitted_by: job.submittedBy,
  created_at: job.createdAt.toISOString(),
  updated_at: job.updatedAt.toISOString(),
  started_at: job.startedAt?.toISOString() ?? null,
  completed_at: job.completedAt?.toISOString() ?? null,
  error: job.error,
  error_code: job.errorCode,
  attempt: job.attempt,
  max_attempts: job.maxAttempts,
  max_runtime_seconds: job.maxRuntimeSeconds,
  lease:
    job.lease === null ? null : { worker: job.lease.worker, expires_at: job.lease.expiresAt.toISOString() },
  progress: job.progress,
  label: job.label,
  campaign_id: job.campaignId,
  retry_of: job.retryOf,
  cache: {
    hit: job.cache.hit,
    canonical_job_id: job.cache.canonicalJobId,
    confidence_score: job.cache.confidenceScore,
  },
});
