import type { DockingJob, JobSummary } from '../../../domain/jobs/docking-job.ts';
import { JsonText } from '../../../domain/json-text.ts';
import type { SetByDatabase } from '../../../domain/jobs/docking-job-repository.ts';

/** A job's row without its large columns: its fields, with the parts of `cache` in columns of their own. */
export interface JobSummaryRow extends Omit<JobSummary, 'cache'> {
  readonly cacheHit: boolean;
  readonly canonicalJobId: string | null;
  readonly cacheConfidenceScore: number | null;
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
} as const satisfies Record<Exclude<keyof JobSummaryRow, SetByDatabase>, string>;

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
} as const satisfies Record<keyof JobSummaryRow, string>;

export const toJobSummary = ({
  cacheHit: hit,
  canonicalJobId,
  cacheConfidenceScore: confidenceScore,
  ...job
}: JobSummaryRow): JobSummary => ({ cache: { hit, canonicalJobId, confidenceScore }, ...job });

export const toDockingJob = ({
  cacheHit: hit,
  canonicalJobId,
  cacheConfidenceScore: confidenceScore,
  inputs,
  params,
  ...job
}: DockingJobRow): DockingJob => ({
  inputs: new JsonText(inputs),
  params: new JsonText(params),
  cache: { hit, canonicalJobId, confidenceScore },
  // The spread is last: V8 is slow to add fields after one. Decision 0024.
  ...job,
});
