import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok } from '../request/reply.ts';
import { BATCH_BODY_BYTES, resultsRoute, type Route } from '../routing/route.ts';
import { presentBatch } from './job-batch-presenter.ts';
import { batchReply, submitBatchRequest } from './job-batch-schema.ts';

export const jobBatchRoutes = (deps: HttpDependencies): readonly Route[] => [submitBatchRoute(deps)];

const submitBatchRoute = ({ submitBatch }: HttpDependencies): Route =>
  resultsRoute(['member', 'org_admin'], {
    method: 'post',
    path: '/organizations/{org_id}/job-batches',
    name: 'submitJobBatch',
    summary: 'Submit up to a thousand docking jobs: all of them, or none',
    tag: 'jobs',
    request: submitBatchRequest,
    maxBodyBytes: BATCH_BODY_BYTES,
    replies: {
      200: {
        description: 'The first batch under this Idempotency-Key, as its jobs are now',
        schema: batchReply,
      },
      201: { description: 'The new jobs, in the order of the items', schema: batchReply },
    },
    errors: ['idempotency_key_reused', 'campaign_not_found', 'campaign_archived', 'quota_exceeded'],
    handle: async ({ input: { body, query, headers }, actor, database }) => {
      const { inputs, params, items } = body;
      const submitted = await submitBatch(database, actor, {
        campaignId: body.campaign_id ?? null,
        engine: body.engine ?? null,
        pipelineVersion: body.pipeline_version,
        inputs,
        params,
        priority: body.priority ?? null,
        maxAttempts: body.max_attempts ?? null,
        maxRuntimeSeconds: body.max_runtime_seconds ?? null,
        items: items.map((item) => ({ ...item, label: item.label ?? null })),
        useCache: query.use_cache,
        idempotencyKey: headers['Idempotency-Key'] ?? null,
      });
      const reply = presentBatch(submitted);
      return submitted.replayed ? ok(reply) : created(reply);
    },
  });
