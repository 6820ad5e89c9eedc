import type { DockingJob } from '../../../domain/jobs/docking-job.ts';
import type { SetByDatabase } from '../../../domain/jobs/docking-job-repository.ts';

/** A job's row: its fields, with the parts of `cache` in columns of their own. */
export interface DockingJobRow extends Omit<DockingJob, 'cache'> {
  readonly cacheHit: boolean;
  readonly canonicalJobId: string | null;
  readonly cacheConfidenceScore: number | null;
}

/** Written by an insert. */
export const INSERTED_COLUMNS = {
  jobId: 'job_id',
  status: 'status',
  engine: 'engine',
  pipelineVersion: 'pipeline_version',
  inputs: 'inputs',
  params: 'params',
  priority: 'priority',
  inputSignature: 'input_signature',
  submittedBy: 'submitted_by',
  cacheHit: 'cache_hit',
  canonicalJobId: 'canonical_job_id',
  cacheConfidenceScore: 'cache_confidence_score',
} as const satisfies Record<Exclude<keyof DockingJobRow, SetByDatabase>, string>;

/** Each field of a job has its column here, or this does not compile. */
export const DOCKING_JOB_COLUMNS = {
  ...INSERTED_COLUMNS,
  error: 'error',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  startedAt: 'started_at',
  completedAt: 'completed_at',
} as const satisfies Record<keyof DockingJobRow, string>;

export const toDockingJob = ({
  cacheHit: hit,
  canonicalJobId,
  cacheConfidenceScore: confidenceScore,
  ...job
}: DockingJobRow): DockingJob => ({ cache: { hit, canonicalJobId, confidenceScore }, ...job });
