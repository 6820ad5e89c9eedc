import { z } from 'zod';
import { jobParams } from '../jobs/job-schema.ts';
import { count, jsonObject, listOf, slug, text, timestamp } from '../request/schema/fields.ts';

const confidence = z.number().min(0).max(1);
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/;

export const taskResultRequest = {
  params: jobParams.extend({ task_name: slug(100) }),
  body: z
    .strictObject({
      service_name: text(100),
      service_version: text(100).optional(),
      schema_version: text(100).optional(),
      confidence_score: confidence.optional(),
      result_data: jsonObject,
    })
    .meta({
      example: {
        service_name: 'vina',
        service_version: '1.2.3',
        confidence_score: 0.9,
        result_data: { affinity_kcal_per_mol: -12.5, poses: 9 },
      },
    }),
};
export const artifactRequest = {
  params: jobParams,
  body: z
    .strictObject({
      name: text(255),
      purpose: text(100),
      uri: text(2048).regex(URI, 'must be a URI with a scheme'),
      content_type: text(255).optional(),
      size_bytes: count.optional(),
      checksum: text(200).optional(),
    })
    .meta({
      example: {
        name: 'poses.pdbqt',
        purpose: 'poses',
        uri: 's3://acme-results/1iep/poses.pdbqt',
        content_type: 'chemical/x-pdbqt',
      },
    }),
};

export const taskResultReply = z
  .strictObject({
    task_result_id: z.guid(),
    job_id: z.guid(),
    task_name: z.string(),
    service_name: z.string(),
    service_version: z.string().nullable(),
    schema_version: z.string().nullable(),
    confidence_score: z.number().nullable(),
    result_data: jsonObject,
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'TaskResult' });
export const taskResultList = listOf(taskResultReply).meta({ id: 'TaskResultList' });

export const artifactReply = z
  .strictObject({
    artifact_id: z.guid(),
    job_id: z.guid(),
    name: z.string(),
    purpose: z.string(),
    uri: z.string(),
    content_type: z.string().nullable(),
    size_bytes: z.int().nullable(),
    checksum: z.string().nullable(),
    created_at: timestamp,
  })
  .meta({ id: 'Artifact' });
export const artifactList = listOf(artifactReply).meta({ id: 'ArtifactList' });
