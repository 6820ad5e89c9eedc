import { addArtifact } from '../../../application/jobs/add-artifact.ts';
import { listArtifacts, listTaskResults } from '../../../application/jobs/list-output.ts';
import { putTaskResult } from '../../../application/jobs/put-task-result.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import { jobRequest } from '../jobs/job-schema.ts';
import { created, ok } from '../request/reply.ts';
import { resultsRoute, type Route } from '../routing/route.ts';
import { presentArtifact, presentTaskResult } from './job-output-presenter.ts';
import {
  artifactList,
  artifactReply,
  artifactRequest,
  taskResultList,
  taskResultReply,
  taskResultRequest,
} from './job-output-schema.ts';

const tag = 'results';
const path = '/organizations/{org_id}/jobs/{job_id}';

export const jobOutputRoutes = (): readonly Route[] => [
  putTaskResultRoute(),
  listTaskResultsRoute(),
  addArtifactRoute(),
  listArtifactsRoute(),
];

const putTaskResultRoute = (): Route =>
  resultsRoute(['worker'], {
    method: 'put',
    path: `${path}/task-results/{task_name}`,
    name: 'putTaskResult',
    summary: 'Write what a task found, in place of an earlier result',
    tag,
    request: taskResultRequest,
    replies: {
      200: { description: 'Replaced', schema: taskResultReply },
      201: { description: 'New', schema: taskResultReply },
    },
    errors: ['job_not_found', 'job_state_conflict'],
    handle: async ({ input: { params, body }, actor, database }) => {
      const { result, created: isNew } = await putTaskResult(database, actor, {
        jobId: params.job_id,
        taskName: params.task_name,
        serviceName: body.service_name,
        serviceVersion: body.service_version ?? null,
        schemaVersion: body.schema_version ?? null,
        confidenceScore: body.confidence_score ?? null,
        resultData: body.result_data,
      });
      return isNew ? created(presentTaskResult(result)) : ok(presentTaskResult(result));
    },
  });

const listTaskResultsRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}/task-results`,
    name: 'listTaskResults',
    summary: "List a job's task results, or those of the job that answered for it",
    tag,
    request: jobRequest,
    compress: true,
    replies: { 200: { description: 'All task results', schema: taskResultList } },
    errors: ['job_not_found'],
    handle: async ({ input: { params }, database }) => {
      const results = await listTaskResults(database, params.job_id);
      return ok({ items: results.map(presentTaskResult) });
    },
  });

const addArtifactRoute = (): Route =>
  resultsRoute(['worker'], {
    method: 'post',
    path: `${path}/artifacts`,
    name: 'addArtifact',
    summary: 'Record a file that a job made',
    tag,
    request: artifactRequest,
    replies: { 201: { description: 'Recorded', schema: artifactReply } },
    errors: ['job_not_found', 'job_state_conflict'],
    handle: async ({ input: { params, body }, actor, database }) => {
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
    },
  });

const listArtifactsRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}/artifacts`,
    name: 'listArtifacts',
    summary: "List a job's artifacts, or those of the job that answered for it",
    tag,
    request: jobRequest,
    compress: true,
    replies: { 200: { description: 'All artifacts', schema: artifactList } },
    errors: ['job_not_found'],
    handle: async ({ input: { params }, database }) => {
      const artifacts = await listArtifacts(database, params.job_id);
      return ok({ items: artifacts.map(presentArtifact) });
    },
  });
