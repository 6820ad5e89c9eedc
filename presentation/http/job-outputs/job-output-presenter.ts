import type { z } from 'zod';
import type { Artifact } from '../../../domain/jobs/artifact.ts';
import type { JsonText } from '../../../domain/json-text.ts';
import { jsonObject } from '../request/json-object.ts';
import type { TaskResult } from '../../../domain/jobs/task-result.ts';
import type { artifactReply, taskResultReply } from './job-output-schema.ts';

type SmallFields = Omit<z.output<typeof taskResultReply>, 'result_data' | 'poses'>;

export const presentTaskResult = (result: TaskResult): JsonText =>
  jsonObject(smallFieldsOf(result), { result_data: result.resultData, poses: result.poses });

const smallFieldsOf = (result: TaskResult): SmallFields => ({
  task_result_id: result.taskResultId,
  job_id: result.jobId,
  task_name: result.taskName,
  service_name: result.serviceName,
  service_version: result.serviceVersion,
  schema_version: result.schemaVersion,
  confidence_score: result.confidenceScore,
  suspect: [...result.suspect],
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
