import { z } from 'zod';

/** The fields of the service's answers that the demo reads. */
export const replies = {
  token: z.object({ access_token: z.string(), expires_in: z.number() }),
  users: z.object({ items: z.array(z.object({ user_id: z.string() })) }),
  organization: z.object({
    org_id: z.string(),
    name: z.string(),
    database: z
      .object({ name: z.string(), state: z.string(), schema_version: z.number().nullable() })
      .nullable(),
  }),
  job: z.object({
    job_id: z.string(),
    status: z.string(),
    input_signature: z.string(),
    cache: z.object({ hit: z.boolean(), canonical_job_id: z.string().nullable() }),
  }),
  taskResults: z.object({
    items: z.array(
      z.object({
        task_result_id: z.string(),
        job_id: z.string(),
        result_data: z.record(z.string(), z.unknown()),
      }),
    ),
  }),
  signature: z.object({ canonical_job_id: z.string(), hit_count: z.number() }),
  anything: z.looseObject({}),
};

export type Job = z.infer<typeof replies.job>;
