import { getJob } from '../../../application/jobs/get-job.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import { DEFAULT_MAX_RUNTIME_SECONDS } from '../../../domain/jobs/job-attempt.ts';
import type { Completion } from '../../../application/jobs/complete-job.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { artifactOf, taskResultOf } from '../job-outputs/job-output-schema.ts';
import { presentJob } from '../jobs/job-presenter.ts';
import { jobReply } from '../jobs/job-schema.ts';
import { created, noContent, ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { DOCUMENT_BODY_BYTES, resultsRoute, type Route } from '../routing/route.ts';
import { presentAttempt, presentClaim } from './lease-presenter.ts';
import {
  attemptCursor,
  attemptPage,
  cancelReply,
  cancelRequest,
  claimReply,
  claimRequest,
  completeManyReply,
  completeManyRequest,
  completeRequest,
  type CompletionBody,
  heartbeatReply,
  heartbeatRequest,
  listAttemptsRequest,
  releaseRequest,
  retryRequest,
} from './lease-schema.ts';

const tag = 'leases';
const jobs = '/organizations/{org_id}/jobs';
const job = `${jobs}/{job_id}`;

/** A thousand ids of jobs. */
const IDS_BODY_BYTES = 64 * 1024;
/** Two hundred leases with what their workers say of them. */
const HEARTBEAT_BODY_BYTES = 256 * 1024;

/** Of many jobs at once. They stand before the routes of one job, which would take their last word for an id. */
export const jobsAtOnceRoutes = (deps: HttpDependencies): readonly Route[] => [
  claimRoute(deps),
  heartbeatRoute(deps),
  cancelRoute(deps),
  completeManyRoute(deps),
];

export const leaseRoutes = (deps: HttpDependencies): readonly Route[] => [
  completeRoute(deps),
  releaseRoute(deps),
  listAttemptsRoute(),
  retryRoute(deps),
];

const claimRoute = ({ claimJobs, policies, workFigures }: HttpDependencies): Route =>
  resultsRoute(['worker'], {
    method: 'post',
    path: `${jobs}/claim`,
    name: 'claimJobs',
    summary: 'Take jobs under leases: highest priority first, oldest within it',
    tag,
    request: claimRequest,
    addsResults: false,
    replies: { 200: { description: 'The jobs; none when none wait', schema: claimReply } },
    errors: ['worker_benched', 'quota_exceeded'],
    handle: async ({ input: { body }, actor, database, organizationId }) => {
      const policy = policies.policyOf(organizationId);
      const { worker, engines, limit, lease_seconds: leaseSeconds, hint_version: version } = body;
      const claim = {
        worker: { name: worker.name, version: worker.version ?? null },
        engines,
        limit,
        leaseSeconds,
        maxRuntimeSeconds: policy.maxRuntimeSeconds ?? DEFAULT_MAX_RUNTIME_SECONDS,
        maxRunningJobs: policy.maxRunningJobs ?? null,
      };
      const hint = version === undefined ? null : { organizationId, version };
      workFigures.seen(actor, engines);
      const claimed = await claimJobs(database, actor, claim, hint);
      workFigures.handedOut(claimed.items);
      return ok(presentClaim(claimed));
    },
  });

const heartbeatRoute = ({ workFigures }: HttpDependencies): Route =>
  resultsRoute(['worker'], {
    method: 'post',
    path: `${jobs}/heartbeat`,
    name: 'heartbeat',
    summary: 'Extend leases, and hear which are canceled or lost',
    tag,
    request: heartbeatRequest,
    maxBodyBytes: HEARTBEAT_BODY_BYTES,
    addsResults: false,
    replies: { 200: { description: 'What became of each', schema: heartbeatReply } },
    handle: async ({ input: { body }, actor, database }) => {
      workFigures.seen(actor, null);
      const states = await database.attempts.heartbeat(
        body.leases.map(({ job_id: jobId, lease_id: leaseId, progress = null }) => ({
          jobId,
          leaseId,
          progress,
        })),
      );
      const items = states.map(({ state, expiresAt }, index) => ({
        job_id: body.leases[index]?.job_id,
        state,
        expires_at: expiresAt?.toISOString() ?? null,
      }));
      return ok({ items });
    },
  });

const cancelRoute = ({ cancelJobs }: HttpDependencies): Route =>
  resultsRoute(['member', 'org_admin'], {
    method: 'post',
    path: `${jobs}/cancel`,
    name: 'cancelJobs',
    summary: 'Cancel many jobs: members their own, administrators all',
    tag,
    request: cancelRequest,
    maxBodyBytes: IDS_BODY_BYTES,
    addsResults: false,
    replies: { 200: { description: 'How many were canceled', schema: cancelReply } },
    handle: async ({ input: { body }, actor, database }) => {
      const { campaign_id: campaignId = null, status = null, job_ids: jobIds = null } = body;
      return ok({ canceled: await cancelJobs(database, actor, { campaignId, status, jobIds }) });
    },
  });

const completeRoute = ({ completeJob, storageQuota }: HttpDependencies): Route =>
  resultsRoute(['worker'], {
    method: 'post',
    path: `${job}/complete`,
    name: 'completeJob',
    summary: 'End an attempt with all that it made',
    tag,
    request: completeRequest,
    maxBodyBytes: DOCUMENT_BODY_BYTES,
    // With results alone. A job whose results do not fit has to end as well.
    addsResults: false,
    replies: {
      200: { description: 'The job as it is now; the same when sent again', schema: jobReply },
    },
    errors: [
      'job_not_found',
      'job_state_conflict',
      'lease_lost',
      'artifact_already_exists',
      'storage_quota_exceeded',
    ],
    handle: async ({ input: { params, body }, actor, database, organizationId, bodyBytes }) => {
      if (hasOutputs(body)) await storageQuota.admit(organizationId, database, bodyBytes);
      const completed = await completeJob(database, actor, completionOf(params.job_id, body));
      return ok(presentJob(completed));
    },
  });

const completeManyRoute = ({ completeJobs, storageQuota }: HttpDependencies): Route =>
  resultsRoute(['worker'], {
    method: 'post',
    path: `${jobs}/complete`,
    name: 'completeJobs',
    summary: 'End attempts of several jobs, each with all that it made',
    tag,
    request: completeManyRequest,
    maxBodyBytes: DOCUMENT_BODY_BYTES,
    addsResults: false,
    replies: {
      200: { description: 'What became of each; the same when sent again', schema: completeManyReply },
    },
    errors: ['artifact_already_exists', 'storage_quota_exceeded'],
    handle: async ({ input: { body }, actor, database, organizationId, bodyBytes }) => {
      if (body.items.some(hasOutputs)) await storageQuota.admit(organizationId, database, bodyBytes);
      const completions = body.items.map(({ job_id: jobId, ...item }) => completionOf(jobId, item));
      const completed = await completeJobs(database, actor, completions);
      const items = completed.map((each, index) => ({
        job_id: completions[index]?.jobId,
        status: 'refusal' in each ? null : each.status,
        code: 'refusal' in each ? each.refusal.code : null,
      }));
      return ok({ items });
    },
  });

const hasOutputs = ({ task_results: results, artifacts }: CompletionBody): boolean =>
  results.length + artifacts.length > 0;

const completionOf = (jobId: string, body: CompletionBody): Completion => {
  const { wall_seconds: wallSeconds, cpu_seconds: cpuSeconds } = body.usage ?? {};
  return {
    jobId,
    leaseId: body.lease_id,
    error: body.error ?? null,
    taskResults: body.task_results.map(({ task_name: taskName, ...result }) =>
      taskResultOf(taskName, result),
    ),
    artifacts: body.artifacts.map(artifactOf),
    usage: body.usage === undefined ? null : { wallSeconds, cpuSeconds },
    logTail: body.log_tail ?? null,
  };
};

const releaseRoute = ({ releaseJob }: HttpDependencies): Route =>
  resultsRoute(['worker'], {
    method: 'post',
    path: `${job}/release`,
    name: 'releaseJob',
    summary: 'Give a job back unfinished; the attempt does not count',
    tag,
    request: releaseRequest,
    addsResults: false,
    replies: { 204: { description: 'Given back; the same when sent again' } },
    errors: ['job_not_found', 'job_state_conflict', 'lease_lost'],
    handle: async ({ input: { params, body }, actor, database }) => {
      const { lease_id: leaseId, reason, delay_seconds: delaySeconds = null } = body;
      await releaseJob(database, actor, { jobId: params.job_id, leaseId, reason, delaySeconds });
      return noContent;
    },
  });

const listAttemptsRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${job}/attempts`,
    name: 'listAttempts',
    summary: "List a job's attempts, in the order in which they began",
    tag,
    request: listAttemptsRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: attemptPage } },
    errors: ['job_not_found'],
    handle: async ({ input: { params, query }, database, pages }) => {
      const { jobId } = await getJob(database, params.job_id);
      const page = await pages.readSized(query, (part) => database.attempts.listByJob(jobId, part));
      return ok(presentPage(page, presentAttempt, attemptCursor));
    },
  });

const retryRoute = ({ retryJob }: HttpDependencies): Route =>
  resultsRoute(['member', 'org_admin'], {
    method: 'post',
    path: `${job}/retry`,
    name: 'retryJob',
    summary: 'Submit a job anew that failed or was canceled; members their own',
    tag,
    request: retryRequest,
    addsResults: true,
    replies: {
      200: { description: 'The first job under this Idempotency-Key', schema: jobReply },
      201: { description: 'The new job', schema: jobReply },
    },
    errors: [
      'job_not_found',
      'job_state_conflict',
      'idempotency_key_reused',
      'campaign_not_found',
      'campaign_archived',
      'quota_exceeded',
    ],
    handle: async ({ input: { params, headers }, actor, database, home }) => {
      const { job: made, replayed } = await retryJob(database, actor, {
        jobId: params.job_id,
        idempotencyKey: headers['Idempotency-Key'] ?? null,
      });
      return replayed ? ok(presentJob(made)) : created(presentJob(made), `${home}/jobs/${made.jobId}`);
    },
  });
