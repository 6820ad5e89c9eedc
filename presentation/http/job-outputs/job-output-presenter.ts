import type { z } from 'zod';
import type { Artifact } from '../../../domain/jobs/artifact.ts';
import type { TaskResult } from '../../../domain/jobs/task-result.ts';
import type { artifactReply, taskResultReply } from './job-output-schema.ts';

export const presentTaskResult = (result: TaskResult): z.output<typeof taskResultReply> => ({
  task_result_id: result.taskResultId,
  job_id: result.jobId,
  task_name: result.taskName,
  service_name: result.serviceName,
  service_version: result.serviceVersion,
  schema_version: result.schemaVersion,
  confidence_score: result.confidenceScore,
  result_data: result.resultData,
  created_at: result.createdAt.toISOString(),
  updated_at: result.updatedAt.toISOString(),
});

export const presentArtifact = (artifact: Artifact): z.output<typeof artifactReply> => ({
  artifact_id: artifact.artifactId,
  job_id: artifact.jobId,
  name: artifact.name,
  purpose: artifact.purpose,
  uri: artifact.uri,
  content_type: artifact.contentType,
  size_bytes: artifact.sizeBytes,
  checksum: artifact.checksum,
  created_at: artifact.createdAt.toISOString(),
});
