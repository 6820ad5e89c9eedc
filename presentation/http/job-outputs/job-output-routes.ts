import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import { resultsRoute, type Route } from '../routing/route.ts';
import { jobRequest } from '../jobs/job-schema.ts';
import * as controller from './job-output-controller.ts';
import {
  artifactList,
  artifactReply,
  artifactRequest,
  signatureReply,
  signatureRequest,
  taskResultList,
  taskResultReply,
  taskResultRequest,
} from './job-output-schema.ts';

const tag = 'results';
const home = '/organizations/{org_id}';
const job = `${home}/jobs/{job_id}`;

/** What jobs bring forth: task results, artifacts, cache entries. */
export const outputRoutes: readonly Route[] = [
  resultsRoute(['worker'], {
    method: 'put',
    path: `${job}/task-results/{task_name}`,
    name: 'putTaskResult',
    summary: 'Write what a task found, in place of an earlier result',
    tag,
    request: taskResultRequest,
    replies: {
      200: { description: 'Replaced', schema: taskResultReply },
      201: { description: 'New', schema: taskResultReply },
    },
    errors: ['job_not_found', 'job_state_conflict'],
    handle: controller.writeTaskResult,
  }),
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${job}/task-results`,
    name: 'listTaskResults',
    summary: "List a job's task results, or those of the job that answered for it",
    tag,
    request: jobRequest,
    replies: { 200: { description: 'All task results', schema: taskResultList } },
    errors: ['job_not_found'],
    handle: controller.readTaskResults,
  }),
  resultsRoute(['worker'], {
    method: 'post',
    path: `${job}/artifacts`,
    name: 'addArtifact',
    summary: 'Record a file that a job made',
    tag,
    request: artifactRequest,
    replies: { 201: { description: 'Recorded', schema: artifactReply } },
    errors: ['job_not_found', 'job_state_conflict'],
    handle: controller.writeArtifact,
  }),
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${job}/artifacts`,
    name: 'listArtifacts',
    summary: "List a job's artifacts, or those of the job that answered for it",
    tag,
    request: jobRequest,
    replies: { 200: { description: 'All artifacts', schema: artifactList } },
    errors: ['job_not_found'],
    handle: controller.readArtifacts,
  }),
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${home}/input-signatures/{signature}`,
    name: 'getInputSignature',
    summary: 'Look up which job answers for an input signature',
    tag,
    request: signatureRequest,
    replies: { 200: { description: 'The cache entry', schema: signatureReply } },
    errors: ['signature_not_found'],
    handle: controller.readSignature,
  }),
];
