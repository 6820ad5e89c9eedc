import { addArtifact } from '../../../application/jobs/add-artifact.ts';
import { getOutputJobId } from '../../../application/jobs/get-job.ts';
import { putTaskResult } from '../../../application/jobs/put-task-result.ts';
import { getArtifactFile } from '../../../application/files/open-file.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import { contentReply, CONTENT_ERRORS, CONTENT_REPLIES } from '../routing/content-reply.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import {
  DOCUMENT_BODY_BYTES,
  filesRoute,
  resultsRoute,
  TEXT_BODY_BYTES,
  type Route,
} from '../routing/route.ts';
import { presentArtifact, presentTaskResult } from './job-output-presenter.ts';
import {
  artifactContentRequest,
  artifactCursor,
  artifactOf,
  artifactPage,
  artifactReply,
  artifactRequest,
  listArtifactsRequest,
  listTaskResultsRequest,
  taskResultCursor,
  taskResultOf,
  taskResultPage,
  taskResultReply,
  taskResultRequest,
} from './job-output-schema.ts';

const tag = 'results';
const path = '/organizations/{org_id}/jobs/{job_id}';
const WRITE_ERRORS = ['job_not_found', 'job_state_conflict', 'lease_required', 'lease_lost'] as const;

export const jobOutputRoutes = (deps: HttpDependencies): readonly Route[] => [
  putTaskResultRoute(),
  listTaskResultsRoute(),
  addArtifactRoute(),
  listArtifactsRoute(),
  readArtifactRoute(deps),
];

const putTaskResultRoute = (): Route =>
  resultsRoute(['worker'], {
    method: 'put',
    path: `${path}/task-results/{task_name}`,
    name: 'putTaskResult',
    summary: 'Write what a task found, in place of an earlier result',
    tag,
    request: taskResultRequest,
    maxBodyBytes: DOCUMENT_BODY_BYTES,
    replies: {
      200: { description: 'Replaced', schema: taskResultReply },
      201: { description: 'New', schema: taskResultReply },
    },
    errors: WRITE_ERRORS,
    handle: async ({ input: { params, headers, body }, actor, database }) => {
      const { result, created: isNew } = await putTaskResult(database, actor, {
        jobId: params.job_id,
        leaseId: headers['X-Lease-Id'] ?? null,
        ...taskResultOf(params.task_name, body),
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
    request: listTaskResultsRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: taskResultPage } },
    errors: ['job_not_found'],
    handle: async ({ input: { params, query }, database, pages }) => {
      const jobId = await getOutputJobId(database, params.job_id);
      const page = await pages.readSized(query, (part) => database.taskResults.listByJob(jobId, part));
      return ok(presentPage(page, presentTaskResult, taskResultCursor));
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
    maxBodyBytes: TEXT_BODY_BYTES,
    replies: {
      200: { description: 'Recorded before', schema: artifactReply },
      201: { description: 'Recorded', schema: artifactReply },
    },
    errors: [...WRITE_ERRORS, 'artifact_already_exists'],
    handle: async ({ input: { params, headers, body }, actor, database }) => {
      const { artifact, created: isNew } = await addArtifact(database, actor, {
        jobId: params.job_id,
        leaseId: headers['X-Lease-Id'] ?? null,
        ...artifactOf(body),
      });
      return isNew ? created(presentArtifact(artifact)) : ok(presentArtifact(artifact));
    },
  });

const listArtifactsRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}/artifacts`,
    name: 'listArtifacts',
    summary: "List a job's artifacts, or those of the job that answered for it",
    tag,
    request: listArtifactsRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: artifactPage } },
    errors: ['job_not_found'],
    handle: async ({ input: { params, query }, database, pages }) => {
      const jobId = await getOutputJobId(database, params.job_id);
      const page = await pages.read(query, (wanted) => database.artifacts.listByJob(jobId, wanted));
      return ok(presentPage(page, presentArtifact, artifactCursor));
    },
  });

const readArtifactRoute = (deps: HttpDependencies): Route =>
  filesRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}/artifacts/{artifact_id}/content`,
    name: 'readArtifact',
    summary: "Read an artifact's bytes, if the service keeps them",
    tag,
    request: artifactContentRequest,
    replies: CONTENT_REPLIES,
    errors: ['job_not_found', 'artifact_elsewhere', ...CONTENT_ERRORS],
    handle: async ({ input: { params, query }, organizationId, withDatabase, request }) => {
      const file = await withDatabase((database) =>
        getArtifactFile(database, params.job_id, params.artifact_id),
      );
      return contentReply(deps, { organizationId, file, request, redirects: query.redirect });
    },
  });
