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
    error: z.string().nullable(),
    progress: z.object({ fraction: z.number().optional(), message: z.string().optional() }).nullish(),
    cache: z.object({ hit: z.boolean(), canonical_job_id: z.string().nullable() }),
  }),
  taskResults: z.object({
    items: z.array(
      z.object({
        task_result_id: z.string(),
        job_id: z.string(),
        result_data: z.object({
          seed: z.number().nullable(),
          correction: z.object({ reported_affinity_kcal_mol: z.number() }).optional(),
        }),
        poses: z.array(
          z.object({
            rank: z.number(),
            affinity_kcal_mol: z.number(),
            rmsd_lower_bound: z.number(),
            rmsd_upper_bound: z.number(),
          }),
        ),
        suspect: z.array(z.string()),
      }),
    ),
  }),
  artifacts: z.object({
    items: z.array(
      z.object({
        artifact_id: z.string(),
        name: z.string(),
        size_bytes: z.number().nullable(),
        checksum: z.string().nullable(),
      }),
    ),
  }),
  file: z.object({
    sha256: z.string(),
    size_bytes: z.number(),
    findings: z.array(z.object({ severity: z.string(), message: z.string() })),
  }),
  signature: z.object({ canonical_job_id: z.string(), hit_count: z.number() }),
  anything: z.looseObject({}),
};

export type Job = z.infer<typeof replies.job>;
export type StoredFile = z.infer<typeof replies.file>;
