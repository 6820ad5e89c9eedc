import type { z } from 'zod';
import type { DockingJob } from '../../../domain/jobs/docking-job.ts';
import type { jobReply } from './job-schema.ts';

export const presentJob = (job: DockingJob): z.output<typeof jobReply> => ({
  job_id: job.jobId,
  status: job.status,
  engine: job.engine,
  pipeline_version: job.pipelineVersion,
  inputs: job.inputs,
  params: job.params,
  priority: job.priority,
  input_signature: job.inputSignature,
  submitted_by: job.submittedBy,
  created_at: job.createdAt.toISOString(),
  updated_at: job.updatedAt.toISOString(),
  started_at: job.startedAt?.toISOString() ?? null,
  completed_at: job.completedAt?.toISOString() ?? null,
  error: job.error,
  cache: {
    hit: job.cache.hit,
    canonical_job_id: job.cache.canonicalJobId,
    confidence_score: job.cache.confidenceScore,
  },
});
