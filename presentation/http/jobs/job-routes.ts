import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { resultsRoute, type Route } from '../routing/route.ts';
import * as controller from './job-controller.ts';
import { jobPage, jobReply, jobRequest, listRequest, moveRequest, submitRequest } from './job-schema.ts';

const tag = 'jobs';
const path = '/organizations/{org_id}/jobs';

export const jobRoutes = ({ submitJob }: HttpDependencies): readonly Route[] => [
  resultsRoute(['member', 'org_admin'], {
    method: 'post',
    path,
    name: 'submitJob',
    summary: 'Submit a docking job',
    tag,
    request: submitRequest,
    replies: {
      200: { description: 'The first job under this Idempotency-Key', schema: jobReply },
      201: { description: 'The new job', schema: jobReply },
    },
    errors: ['idempotency_key_reused'],
    handle: controller.submit(submitJob),
  }),
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path,
    name: 'listJobs',
    summary: 'List jobs, newest first',
    tag,
    request: listRequest,
    replies: { 200: { description: 'One page', schema: jobPage } },
    handle: controller.list,
  }),
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}/{job_id}`,
    name: 'getJob',
    summary: 'Show a job',
    tag,
    request: jobRequest,
    replies: { 200: { description: 'The job', schema: jobReply } },
    errors: ['job_not_found'],
    handle: controller.get,
  }),
  // Members come this far because they may cancel what they submitted; the use case decides.
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'patch',
    path: `${path}/{job_id}`,
    name: 'moveJob',
    summary: 'Move a job to another status; members may cancel their own',
    tag,
    request: moveRequest,
    replies: { 200: { description: 'The job as it is now', schema: jobReply } },
    errors: ['job_not_found', 'job_state_conflict'],
    handle: controller.move,
  }),
];
