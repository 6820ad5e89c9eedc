import type { DockingJob, JobSummary, LockedJob } from '../../../domain/jobs/docking-job.ts';
import type { JobLease, JobProgress } from '../../../domain/jobs/job-attempt.ts';
import { JsonText } from '../../../domain/json-text.ts';
import { selectJsonTexts, selectList } from '../columns.ts';
import { sql } from '../statement.ts';
import type { SetByDatabase } from '../../../domain/jobs/docking-job-repository.ts';

/** What a job's row holds itself without its large columns, with the parts of `cache` in columns of their own. */
interface BareJobRow extends Omit<JobSummary, 'cache' | 'lease' | 'progress'> {
  readonly cacheHit: boolean;
  readonly canonicalJobId: string | null;
  readonly cacheConfidenceScore: number | null;
}

/** With what its live attempt says. */
export interface JobSummaryRow extends BareJobRow {
  /** JSON of a `LiveAttempt`; null when the job does not run, or runs without a lease. */
  readonly live: string | null;
}

interface LiveAttempt {
  readonly worker: string;
  readonly expiresAt: string;
  readonly progress: JobProgress | null;
}

/** A job's row. */
export interface DockingJobRow extends JobSummaryRow {
  /** JSON. */
  readonly inputs: string;
  /** JSON. */
  readonly params: string;
}

/** The columns without a small limit. */
export const JSON_COLUMNS = { inputs: 'inputs', params: 'params' } as const;

/** Written by an insert, beside the JSON. */
export const INSERTED_COLUMNS = {
  jobId: 'job_id',
  status: 'status',
  engine: 'engine',
  pipelineVersion: 'pipeline_version',
  priority: 'priority',
  inputSignature: 'input_signature',
  submittedBy: 'submitted_by',
  cacheHit: 'cache_hit',
  canonicalJobId: 'canonical_job_id',
  cacheConfidenceScore: 'cache_confidence_score',
  label: 'label',
  campaignId: 'campaign_id',
  retryOf: 'retry_of',
  maxAttempts: 'max_attempts',
  maxRuntimeSeconds: 'max_runtime_seconds',
} as const satisfies Record<Exclude<keyof BareJobRow, SetByDatabase>, string>;

/** Each field of a job has its column here, or this does not compile. */
export const SUMMARY_COLUMNS = {
  ...INSERTED_COLUMNS,
  error: 'error',
  errorCode: 'error_code',
  attempt: 'attempt',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  startedAt: 'started_at',
  completedAt: 'completed_at',
} as const satisfies Record<keyof BareJobRow, string>;

/** Of a `LockedJob`. */
export const LOCKED_COLUMNS = {
  jobId: SUMMARY_COLUMNS.jobId,
  status: SUMMARY_COLUMNS.status,
  engine: SUMMARY_COLUMNS.engine,
  campaignId: SUMMARY_COLUMNS.campaignId,
  inputSignature: SUMMARY_COLUMNS.inputSignature,
  submittedBy: SUMMARY_COLUMNS.submittedBy,
  attempt: SUMMARY_COLUMNS.attempt,
  maxAttempts: SUMMARY_COLUMNS.maxAttempts,
} as const satisfies Record<keyof LockedJob, string>;

/**
 * The field `live` of a job. A job that does not run costs no look-up. It sees attempts as the whole statement does: after a
 * wait for the job's lock that may be the lease before.
 *
 * @param source the table or alias that has the job's columns
 */
export const liveAttemptOf = (source: string): string =>
  `case when ${source}.status = 'RUNNING' then (
     select json_build_object('worker', worker_name, 'expiresAt', expires_at, 'progress', progress)::text
     from job_attempts where job_attempts.job_id = ${source}.job_id and ended_at is null
   ) end`;

/** Of the table itself, under its own name. */
export const SUMMARY_FIELDS = [
  ...selectList(SUMMARY_COLUMNS),
  sql.raw('? as live', [sql.raw(liveAttemptOf('docking_jobs'))]),
];
export const JOB_FIELDS = [...SUMMARY_FIELDS, ...selectJsonTexts(JSON_COLUMNS)];

// The query above builds it.
const readAttempt = (live: string): LiveAttempt => JSON.parse(live) as LiveAttempt;
const readLease = ({ worker, expiresAt }: LiveAttempt): JobLease => ({
  worker,
  expiresAt: new Date(expiresAt),
});

export const toJobSummary = ({
  cacheHit: hit,
  canonicalJobId,
  cacheConfidenceScore: confidenceScore,
  live,
  ...job
}: JobSummaryRow): JobSummary => {
  const attempt = live === null ? null : readAttempt(live);
  return {
    cache: { hit, canonicalJobId, confidenceScore },
    lease: attempt === null ? null : readLease(attempt),
    progress: attempt?.progress ?? null,
    ...job,
  };
};

export const toDockingJob = ({
  cacheHit: hit,
  canonicalJobId,
  cacheConfidenceScore: confidenceScore,
  inputs,
  params,
  live,
  ...job
}: DockingJobRow): DockingJob => {
  const attempt = live === null ? null : readAttempt(live);
  return {
    inputs: new JsonText(inputs),
    params: new JsonText(params),
    cache: { hit, canonicalJobId, confidenceScore },
    lease: attempt === null ? null : readLease(attempt),
    progress: attempt?.progress ?? null,
    // The spread is last: V8 is slow to add fields after one. Decision 0024.
    ...job,
  };
};
