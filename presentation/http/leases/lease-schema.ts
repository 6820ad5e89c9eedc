import { z } from 'zod';
import {
  ATTEMPT_OUTCOMES,
  DEFAULT_LEASE_SECONDS,
  LEASE_SECONDS,
  MAX_CLAIMED_JOBS,
  MAX_ENGINES,
  MAX_HEARTBEATS,
  RELEASE_REASONS,
} from '../../../domain/jobs/job-attempt.ts';
import { JOB_STATUSES } from '../../../domain/jobs/docking-job.ts';
import type { AttemptKey } from '../../../domain/jobs/job-attempt-repository.ts';
import { toPrintableLines } from '../../../domain/printable.ts';
import { artifactRequest, taskResultRequest } from '../job-outputs/job-output-schema.ts';
import { jobParams, jobReply, submitRequest } from '../jobs/job-schema.ts';
import { cursorOf, momentMs } from '../request/schema/cursor.ts';
import {
  count,
  generousLimit,
  pageOf,
  printable,
  printableLines,
  slug,
  timestamp,
  uuid,
} from '../request/schema/fields.ts';

const MAX_CANCELED_IDS = 1000;
const MAX_DELAY_SECONDS = 24 * 3600;
const MAX_LOG_TAIL_BYTES = 16 * 1024;
const MAX_SECONDS = 1e9;
/** Of one completion. More are written one by one, before it. */
const MAX_OUTPUTS = 200;
const MAX_COMPLETIONS = 50;

const SAMPLE_JOB = '0198c2f4-5d0e-7c3a-9b1f-2f6f0f5f8a11';
const SAMPLE_LEASE = '6f1d2f0a-3b54-4d0e-8f5e-0a4c7b1e9d23';

export const claimRequest = {
  body: z
    .strictObject({
      worker: z.strictObject({ name: printable(100), version: printable(100).optional() }),
      engines: z
        .array(slug(64))
        .min(1)
        .max(MAX_ENGINES)
        .transform((engines) => [...new Set(engines)]),
      limit: z.int().min(1).max(MAX_CLAIMED_JOBS),
      lease_seconds: z.int().min(LEASE_SECONDS.min).max(LEASE_SECONDS.max).default(DEFAULT_LEASE_SECONDS),
      hint_version: z
        .int()
        .min(0)
        .optional()
        .meta({ description: 'The greatest that `GET /work` gave for this organization' }),
    })
    .meta({
      example: { worker: { name: 'node-7', version: '1.0.0' }, engines: ['vina'], limit: 4 },
    }),
};

const progress = z.strictObject({
  fraction: z.number().min(0).max(1).optional(),
  message: printable(200).optional(),
});

export const heartbeatRequest = {
  body: z
    .strictObject({
      leases: z
        .array(z.strictObject({ job_id: uuid, lease_id: uuid, progress: progress.optional() }))
        .min(1)
        .max(MAX_HEARTBEATS),
    })
    .meta({
      example: { leases: [{ job_id: SAMPLE_JOB, lease_id: SAMPLE_LEASE, progress: { fraction: 0.4 } }] },
    }),
};

const seconds = z.number().min(0).max(MAX_SECONDS);

const completion = z.strictObject({
  lease_id: uuid,
  outcome: z.enum(['COMPLETED', 'FAILED']),
  error: z
    .strictObject({
      code: slug(64),
      message: printableLines(4000),
      retryable: z.boolean().default(false),
    })
    .optional()
    .meta({ description: 'With FAILED. One that is retryable has the job wait for another attempt' }),
  task_results: z
    .array(taskResultRequest.body.extend({ task_name: taskResultRequest.params.shape.task_name }))
    .max(MAX_OUTPUTS)
    .refine(
      (results) => new Set(results.map(({ task_name: name }) => name)).size === results.length,
      'must name each task once',
    )
    .default([]),
  artifacts: z.array(artifactRequest.body).max(MAX_OUTPUTS).default([]),
  usage: z.strictObject({ wall_seconds: seconds.optional(), cpu_seconds: seconds.optional() }).optional(),
  log_tail: z
    .string()
    .max(MAX_LOG_TAIL_BYTES)
    .refine(
      (text) => Buffer.byteLength(text) <= MAX_LOG_TAIL_BYTES,
      `must have at most ${MAX_LOG_TAIL_BYTES} bytes`,
    )
    .transform(toPrintableLines)
    .optional()
    .meta({ description: "The end of the engine's output; what nobody sees in it is marked" }),
});

/** What a failure has, and a success has not. */
const ERROR_OF_FAILURE = { path: ['error'], error: 'belongs to FAILED, which needs it' };
const hasItsError = ({
  outcome,
  error,
}: {
  readonly outcome: string;
  readonly error?: object | undefined;
}): boolean => (outcome === 'FAILED') === (error !== undefined);

export const completeRequest = {
  params: jobParams,
  body: completion.refine(hasItsError, ERROR_OF_FAILURE).meta({
    example: {
      lease_id: SAMPLE_LEASE,
      outcome: 'COMPLETED',
      task_results: [
        { task_name: 'docking', service_name: 'vina', result_data: { affinity_kcal_per_mol: -12.5 } },
      ],
      usage: { wall_seconds: 41.5, cpu_seconds: 160 },
    },
  }),
};

export const completeManyRequest = {
  body: z
    .strictObject({
      items: z
        .array(completion.extend({ job_id: uuid }).refine(hasItsError, ERROR_OF_FAILURE))
        .min(1)
        .max(MAX_COMPLETIONS)
        .refine(
          (items) => new Set(items.map(({ job_id: jobId }) => jobId.toLowerCase())).size === items.length,
          'must name each job once',
        ),
    })
    .meta({
      example: { items: [{ job_id: SAMPLE_JOB, lease_id: SAMPLE_LEASE, outcome: 'COMPLETED' }] },
    }),
};

export const releaseRequest = {
  params: jobParams,
  body: z
    .strictObject({
      lease_id: uuid,
      reason: z.enum(RELEASE_REASONS),
      delay_seconds: z
        .int()
        .min(0)
        .max(MAX_DELAY_SECONDS)
        .optional()
        .meta({ description: 'No claim takes the job before' }),
    })
    .meta({ example: { lease_id: SAMPLE_LEASE, reason: 'shutdown' } }),
};

export const cancelRequest = {
  body: z
    .strictObject({
      campaign_id: uuid.optional(),
      status: z.enum(['PENDING', 'RUNNING']).optional(),
      job_ids: z.array(uuid).min(1).max(MAX_CANCELED_IDS).optional(),
    })
    .refine(({ campaign_id: campaign, job_ids: jobs }) => campaign !== undefined || jobs !== undefined, {
      path: ['job_ids'],
      error: 'is required where campaign_id is not given',
    })
    .meta({ example: { job_ids: [SAMPLE_JOB], status: 'PENDING' } }),
};

export const retryRequest = { params: jobParams, headers: submitRequest.headers };

/** Attempts are listed in the order in which they began. */
export const attemptCursor = cursorOf(
  z.tuple([momentMs, z.guid()]),
  ({ startedAt, leaseId }: AttemptKey): [number, string] => [startedAt.getTime(), leaseId],
  ([startedAtMs, leaseId]): AttemptKey => ({ startedAt: new Date(startedAtMs), leaseId }),
);

export const listAttemptsRequest = {
  params: jobParams,
  query: z.strictObject({ limit: generousLimit, cursor: attemptCursor.schema }),
};

export const claimReply = z
  .strictObject({
    items: z.array(
      z.strictObject({
        job: jobReply,
        lease: z.strictObject({
          lease_id: z.guid(),
          attempt: z.int(),
          expires_at: timestamp,
          max_runtime_seconds: z.int(),
        }),
      }),
    ),
    retry_after_seconds: count.meta({ description: 'When another claim makes sense' }),
  })
  .meta({ id: 'Claim' });

export const heartbeatReply = z
  .strictObject({
    items: z.array(
      z.strictObject({
        job_id: z.guid(),
        state: z.enum(['held', 'canceled', 'lost']),
        expires_at: timestamp.nullable(),
      }),
    ),
  })
  .meta({ id: 'Heartbeat' });

export const completeManyReply = z
  .strictObject({
    items: z.array(
      z.strictObject({
        job_id: z.guid(),
        status: z.enum(JOB_STATUSES).nullable(),
        code: z.enum(['job_not_found', 'job_state_conflict', 'lease_lost']).nullable().meta({
          description: 'Why nothing was written; null when the completion counts, or counted before',
        }),
      }),
    ),
  })
  .meta({ id: 'Completions' });

export const cancelReply = z.strictObject({ canceled: count }).meta({ id: 'Cancellation' });

export type CompletionBody = z.output<typeof completion>;

export const attemptReply = z
  .strictObject({
    attempt: z.int(),
    worker: z.strictObject({ name: z.string(), version: z.string().nullable() }),
    started_at: timestamp,
    expires_at: timestamp,
    ended_at: timestamp.nullable(),
    outcome: z.enum(ATTEMPT_OUTCOMES).nullable(),
    release_reason: z.enum(RELEASE_REASONS).nullable(),
    error: z.strictObject({ code: z.string(), message: z.string(), retryable: z.boolean() }).nullable(),
    usage: z
      .strictObject({ wall_seconds: z.number().nullable(), cpu_seconds: z.number().nullable() })
      .nullable(),
    log_tail: z.string().nullable(),
  })
  .meta({ id: 'Attempt' });
export const attemptPage = pageOf(attemptReply).meta({ id: 'AttemptPage' });
