import type { z } from 'zod';
import { getJob } from '../../../application/jobs/get-job.ts';
import { moveJob } from '../../../application/jobs/move-job.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import type { JobFilter } from '../../../domain/jobs/docking-job-repository.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { DOCUMENT_BODY_BYTES, resultsRoute, TEXT_BODY_BYTES, type Route } from '../routing/route.ts';
import { presentJob, presentJobSummary, presentSubmitted } from './job-presenter.ts';
import {
  jobCursor,
  jobPage,
  jobReply,
  jobRequest,
  listRequest,
  moveRequest,
  submitRequest,
  submittedReply,
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
    maxBodyBytes: DOCUMENT_BODY_BYTES,
    replies: {
      200: { description: 'The first job under this Idempotency-Key', schema: submittedReply },
      201: { description: 'The new job', schema: submittedReply },
    },
    errors: ['idempotency_key_reused', 'campaign_not_found', 'campaign_archived', 'quota_exceeded'],
    handle: async ({ input: { body, query, headers }, actor, database, home }) => {
      const { engine, inputs, params } = body;
      const submitted = await submitJob(database, actor, {
        engine,
        pipelineVersion: body.pipeline_version,
        inputs,
        params,
        priority: body.priority ?? null,
        label: body.label ?? null,
        campaignId: body.campaign_id ?? null,
        useCache: query.use_cache,
        idempotencyKey: headers['Idempotency-Key'] ?? null,
        maxAttempts: body.max_attempts ?? null,
        maxRuntimeSeconds: body.max_runtime_seconds ?? null,
      });
      const reply = presentSubmitted(submitted);
      return submitted.replayed ? ok(reply) : created(reply, `${home}/jobs/${submitted.job.jobId}`);
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
    handle: async ({ input: { query }, database, pages }) => {
      const filter = toJobFilter(query);
      if (query.view === 'summary') {
        const page = await pages.readSized(query, (part) => database.jobs.listSummaries(filter, part));
        return ok(presentPage(page, presentJobSummary, jobCursor));
      }
      const page = await pages.readSized(query, (part) => database.jobs.list(filter, part));
      return ok(presentPage(page, presentJob, jobCursor));
    },
  });

const toJobFilter = (query: z.output<typeof listRequest.query>): JobFilter => ({
  status: query.status ?? null,
  campaignId: query.campaign_id ?? null,
  engine: query.engine ?? null,
  label: query.label ?? null,
  submittedBy: query.submitted_by ?? null,
  errorCode: query.error_code ?? null,
  createdAfter: query.created_after ?? null,
  createdBefore: query.created_before ?? null,
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
    maxBodyBytes: TEXT_BODY_BYTES,
    replies: { 200: { description: 'The job as it is now', schema: jobReply } },
    errors: ['job_not_found', 'job_state_conflict', 'lease_required', 'lease_lost'],
    handle: async ({ input: { params, headers, body }, actor, database }) => {
      const { status, error = null } = body;
      const move = { jobId: params.job_id, status, error, leaseId: headers['X-Lease-Id'] ?? null };
      return ok(presentJob(await moveJob(database, actor, move)));
    },
  });
