import { getJob } from '../../../application/jobs/get-job.ts';
import { moveJob } from '../../../application/jobs/move-job.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { resultsRoute, type Route } from '../routing/route.ts';
import { presentJob } from './job-presenter.ts';
import {
  jobCursor,
  jobPage,
  jobReply,
  jobRequest,
  listRequest,
  moveRequest,
  submitRequest,
} from './job-schema.ts';

const tag = 'jobs';
const path = '/organizations/{org_id}/jobs';

export const jobRoutes = (deps: HttpDependencies): readonly Route[] => [
  submitJobRoute(deps),
  listJobsRoute(),
  getJobRoute(),
  moveJobRoute(),
];

const submitJobRoute = ({ submitJob }: HttpDependencies): Route =>
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
    handle: async ({ input: { body, query, headers }, actor, database, home }) => {
      const { pipeline_version: pipelineVersion, ...rest } = body;
      const { job, replayed } = await submitJob(database, actor, {
        pipelineVersion,
        useCache: query.use_cache,
        idempotencyKey: headers['Idempotency-Key'] ?? null,
        ...rest,
      });
      return replayed ? ok(presentJob(job)) : created(presentJob(job), `${home}/jobs/${job.jobId}`);
    },
  });

const listJobsRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path,
    name: 'listJobs',
    summary: 'List jobs, newest first',
    tag,
    request: listRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: jobPage } },
    handle: async ({ input: { query }, database }) => {
      const filter = { status: query.status ?? null };
      const page = await database.jobs.list(filter, { limit: query.limit, after: query.cursor });
      return ok(presentPage(page, presentJob, jobCursor));
    },
  });

const getJobRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}/{job_id}`,
    name: 'getJob',
    summary: 'Show a job',
    tag,
    request: jobRequest,
    replies: { 200: { description: 'The job', schema: jobReply } },
    errors: ['job_not_found'],
    handle: async ({ input: { params }, database }) => ok(presentJob(await getJob(database, params.job_id))),
  });

/** Members may call it because they may cancel what they submitted. The use case decides. */
const moveJobRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'patch',
    path: `${path}/{job_id}`,
    name: 'moveJob',
    summary: 'Move a job to another status; members may cancel their own',
    tag,
    request: moveRequest,
    replies: { 200: { description: 'The job as it is now', schema: jobReply } },
    errors: ['job_not_found', 'job_state_conflict'],
    handle: async ({ input: { params, body }, actor, database }) => {
      const { status, error = null } = body;
      return ok(presentJob(await moveJob(database, actor, { jobId: params.job_id, status, error })));
    },
  });
