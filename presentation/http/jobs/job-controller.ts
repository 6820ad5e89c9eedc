import { getJob } from '../../../application/jobs/get-job.ts';
import { moveJob } from '../../../application/jobs/move-job.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok, type Reply } from '../routing/reply.ts';
import type { Call, ResultsScope } from '../routing/route.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { presentJob } from './job-presenter.ts';
import {
  jobCursor,
  type jobRequest,
  type listRequest,
  type moveRequest,
  type submitRequest,
} from './job-schema.ts';

type JobCall<Parts extends object> = Call<Parts, ResultsScope>;

/** A submission seen before under its idempotency key made nothing: 200 with the first job. */
export const submit =
  (submitJob: HttpDependencies['submitJob']) =>
  async ({ input, actor, database, home }: JobCall<typeof submitRequest>): Promise<Reply> => {
    const { engine, pipeline_version: pipelineVersion, inputs, params, priority } = input.body;
    const { job, replayed } = await submitJob.execute(database, actor, {
      engine,
      pipelineVersion,
      inputs,
      params,
      priority,
      useCache: input.query.use_cache,
      idempotencyKey: input.headers['Idempotency-Key'] ?? null,
    });
    return replayed ? ok(presentJob(job)) : created(presentJob(job), `${home}/jobs/${job.jobId}`);
  };

export const list = async ({ input, database }: JobCall<typeof listRequest>): Promise<Reply> => {
  const { status, limit, cursor } = input.query;
  const page = await database.jobs.list({ status: status ?? null }, { limit, after: cursor });
  return ok(presentPage(page, presentJob, jobCursor));
};

export const get = async ({ input, database }: JobCall<typeof jobRequest>): Promise<Reply> =>
  ok(presentJob(await getJob(database, input.params.job_id)));

export const move = async ({ input, actor, database }: JobCall<typeof moveRequest>): Promise<Reply> => {
  const { status, error } = input.body;
  const wanted = { jobId: input.params.job_id, status, error: error ?? null };
  return ok(presentJob(await moveJob(database, actor, wanted)));
};
