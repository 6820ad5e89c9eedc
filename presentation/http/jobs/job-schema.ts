import { z } from 'zod';
import { WARNING_CODES } from '../../../domain/files/submission-warning.ts';
import {
  DEFAULT_PIPELINE_VERSION,
  DEFAULT_PRIORITY,
  JOB_STATUSES,
} from '../../../domain/jobs/docking-job.ts';
import { MAX_MAX_ATTEMPTS, MAX_MAX_RUNTIME_SECONDS } from '../../../domain/jobs/job-attempt.ts';
import type { JobKey } from '../../../domain/jobs/docking-job-repository.ts';
import { cursorOf, momentMs } from '../request/schema/cursor.ts';
import {
  flag,
  jsonObject,
  limit,
  moment,
  pageOf,
  printable,
  printableLines,
  slug,
  timestamp,
  uuid,
} from '../request/schema/fields.ts';

const MAX_PRIORITY = 100;

/** Jobs are listed newest first. A key is the moment of creation in milliseconds, and the id. */
export const jobCursor = cursorOf(
  z.tuple([momentMs, z.guid()]),
  ({ createdAt, jobId }: JobKey): [number, string] => [createdAt.getTime(), jobId],
  ([createdAtMs, jobId]): JobKey => ({ createdAt: new Date(createdAtMs), jobId }),
);

const filledObject = jsonObject
  .refine((value) => Object.keys(value).length > 0, 'must not be empty')
  .meta({ minProperties: 1 });

/** What a submitter calls a job. It need not be unique. */
export const label = printable(255);

export const campaignId = uuid.meta({
  description: 'The campaign, whose defaults stand behind what is sent here',
});

export const jobParams = z.object({ job_id: uuid });

export const priority = z
  .int()
  .min(0)
  .max(MAX_PRIORITY)
  .meta({ description: `Higher runs first. By default the campaign's, or ${DEFAULT_PRIORITY}` });

export const maxAttempts = z.int().min(1).max(MAX_MAX_ATTEMPTS);
export const maxRuntimeSeconds = z.int().min(1).max(MAX_MAX_RUNTIME_SECONDS);

/** How jobs are submitted, one by one or in batches. */
export const submissionParts = {
  query: z.strictObject({
    use_cache: flag.meta({ description: 'A finished job with the same inputs may answer for this one' }),
  }),
  headers: z.object({
    'Idempotency-Key': z
      .string()
      .regex(/^[\x20-\x7e]{1,200}$/, 'must be 1 to 200 printable ASCII characters')
      .optional()
      .meta({ description: 'A submission sent again under its key answers with what the first one made' }),
  }),
};

export const submitRequest = {
  ...submissionParts,
  body: z
    .strictObject({
      engine: slug(64),
      pipeline_version: slug(64).default(DEFAULT_PIPELINE_VERSION),
      inputs: filledObject,
      params: jsonObject.default({}),
      priority: priority.optional(),
      label: label.optional(),
      campaign_id: campaignId.optional(),
      max_attempts: maxAttempts.optional(),
      max_runtime_seconds: maxRuntimeSeconds.optional(),
    })
    .meta({
      example: {
        engine: 'vina',
        inputs: { receptor: '1iep_receptor.pdbqt', ligand: '1iep_ligand.pdbqt' },
        params: { exhaustiveness: 32 },
      },
    }),
};

export const listRequest = {
  query: z.strictObject({
    status: z.enum(JOB_STATUSES).optional(),
    campaign_id: uuid.optional(),
    engine: slug(64).optional(),
    label: label.optional(),
    submitted_by: printable(255).optional(),
    error_code: slug(64).optional(),
    created_after: moment.optional().meta({ description: 'Created later than this' }),
    created_before: moment.optional().meta({ description: 'Created earlier than this' }),
    view: z
      .enum(['full', 'summary'])
      .default('full')
      .meta({ description: '`summary` leaves out `inputs` and `params`, and does not read them' }),
    limit,
    cursor: jobCursor.schema,
  }),
};
export const jobRequest = { params: jobParams };
/** For workers that hold the job by a lease. */
export const leaseHeaders = z.object({
  'X-Lease-Id': uuid.optional().meta({ description: 'The lease by which the caller holds the job' }),
});
export const moveRequest = {
  params: jobParams,
  headers: leaseHeaders,
  body: z
    .strictObject({ status: z.enum(JOB_STATUSES), error: printableLines(4000).optional() })
    .meta({ example: { status: 'RUNNING' } }),
};

export const jobReply = z
  .strictObject({
    job_id: z.guid(),
    status: z.enum(JOB_STATUSES),
    engine: z.string(),
    pipeline_version: z.string(),
    inputs: jsonObject,
    params: jsonObject,
    priority: z.int(),
    input_signature: z
      .string()
      .meta({ description: 'Hex SHA-256 of the canonical JSON of what decides the result' }),
    submitted_by: z.string(),
    created_at: timestamp,
    updated_at: timestamp,
    started_at: timestamp.nullable(),
    completed_at: timestamp.nullable(),
    error: z.string().nullable(),
    error_code: z.string().nullable(),
    attempt: z.int().meta({ description: 'Attempts that workers have begun under leases' }),
    max_attempts: z.int(),
    max_runtime_seconds: z.int().nullable(),
    lease: z
      .strictObject({ worker: z.string(), expires_at: timestamp })
      .nullable()
      .meta({ description: 'While a worker holds the job by a lease' }),
    progress: z.strictObject({ fraction: z.number().optional(), message: z.string().optional() }).nullable(),
    label: z.string().nullable(),
    campaign_id: z.guid().nullable(),
    retry_of: z.guid().nullable(),
    cache: z.strictObject({
      hit: z.boolean(),
      canonical_job_id: z.guid().nullable(),
      confidence_score: z.number().nullable(),
    }),
  })
  .meta({ id: 'Job' });
export const warningsReply = z
  .array(z.strictObject({ code: z.enum(WARNING_CODES), path: z.string(), message: z.string() }))
  .meta({
    description:
      'What the job can run with, and may not be meant: `large_box` (more than 27,000 Å³), `receptor_outside_box`. ' +
      'They are told once: a replay has none. Left out where there are none',
  });
export const submittedReply = jobReply
  .extend({ warnings: warningsReply.optional() })
  .meta({ id: 'SubmittedJob' });
export const jobSummaryReply = jobReply.omit({ inputs: true, params: true }).meta({ id: 'JobSummary' });
export const jobPage = pageOf(z.union([jobReply, jobSummaryReply])).meta({ id: 'JobPage' });
