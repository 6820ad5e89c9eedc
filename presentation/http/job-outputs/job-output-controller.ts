import { addArtifact } from '../../../application/jobs/add-artifact.ts';
import { getInputSignature } from '../../../application/jobs/get-input-signature.ts';
import { listArtifacts, listTaskResults } from '../../../application/jobs/list-output.ts';
import { putTaskResult } from '../../../application/jobs/put-task-result.ts';
import { created, ok, type Reply } from '../request/reply.ts';
import type { Call, ResultsScope } from '../routing/route.ts';
import type { jobRequest } from '../jobs/job-schema.ts';
import { presentArtifact, presentSignature, presentTaskResult } from './job-output-presenter.ts';
import type { artifactRequest, signatureRequest, taskResultRequest } from './job-output-schema.ts';

type OutputCall<Parts extends object> = Call<Parts, ResultsScope>;

export const writeTaskResult = async ({
  input: { params, body },
  actor,
  database,
}: OutputCall<typeof taskResultRequest>): Promise<Reply> => {
  const { result, created: isNew } = await putTaskResult(database, actor, {
    jobId: params.job_id,
    taskName: params.task_name,
    serviceName: body.service_name,
    serviceVersion: body.service_version ?? null,
    schemaVersion: body.schema_version ?? null,
    confidenceScore: body.confidence_score ?? null,
    resultData: body.result_data,
  });
  const presented = presentTaskResult(result);
  return isNew ? created(presented) : ok(presented);
};

export const readTaskResults = async ({ input, database }: OutputCall<typeof jobRequest>): Promise<Reply> => {
  const results = await listTaskResults(database, input.params.job_id);
  return ok({ items: results.map(presentTaskResult) });
};

export const writeArtifact = async ({
  input: { params, body },
  actor,
  database,
}: OutputCall<typeof artifactRequest>): Promise<Reply> => {
  const artifact = await addArtifact(database, actor, {
    jobId: params.job_id,
    name: body.name,
    purpose: body.purpose,
    uri: body.uri,
    contentType: body.content_type ?? null,
    sizeBytes: body.size_bytes ?? null,
    checksum: body.checksum ?? null,
  });
  return created(presentArtifact(artifact));
};

export const readArtifacts = async ({ input, database }: OutputCall<typeof jobRequest>): Promise<Reply> => {
  const artifacts = await listArtifacts(database, input.params.job_id);
  return ok({ items: artifacts.map(presentArtifact) });
};

export const readSignature = async ({
  input,
  database,
}: OutputCall<typeof signatureRequest>): Promise<Reply> =>
  ok(presentSignature(await getInputSignature(database, input.params.signature)));
