import { z } from 'zod';

const jsonObject = z.record(z.string(), z.unknown());

/** The fields of the service's answers that a worker reads. */
export const replies = {
  token: z.object({ access_token: z.string(), expires_in: z.number().nullable().default(null) }),
  claim: z.object({
    items: z.array(
      z.object({
        job: z.object({
          job_id: z.string(),
          engine: z.string(),
          inputs: jsonObject,
          params: jsonObject,
          input_signature: z.string(),
        }),
        lease: z.object({
          lease_id: z.string(),
          attempt: z.int(),
          /** How long the attempt may take. */
          max_runtime_seconds: z.number().nullable().default(null),
        }),
      }),
    ),
    retry_after_seconds: z.number(),
  }),
  heartbeat: z.object({
    items: z.array(z.object({ job_id: z.string(), state: z.enum(['held', 'canceled', 'lost']) })),
  }),
  work: z.object({
    items: z.array(
      z.object({ org_id: z.string(), engine: z.string(), hint_version: z.union([z.int(), z.string()]) }),
    ),
    retry_after_seconds: z.number(),
  }),
  file: z.object({ sha256: z.string() }),
  anything: z.unknown(),
};

type Claimed = z.infer<typeof replies.claim>['items'][number];
export type JobToDo = Claimed['job'];
export type Lease = Claimed['lease'];
