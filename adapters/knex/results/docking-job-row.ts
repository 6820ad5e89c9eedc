import type { DockingJob, JobStatus, JsonObject } from '../../../domain/jobs/docking-job.ts';

/** As PostgreSQL's driver returns it: jsonb parsed, timestamptz(3) as Date. */
export interface DockingJobRow {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly engine: string;
  readonly pipeline_version: string;
  readonly inputs: JsonObject;
  readonly params: JsonObject;
  readonly priority: number;
  readonly input_signature: string;
  readonly submitted_by: string;
  readonly request_hash: string | null;
  readonly cache_hit: boolean;
  readonly canonical_job_id: string | null;
  readonly cache_confidence_score: number | null;
  readonly error: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly started_at: Date | null;
  readonly completed_at: Date | null;
}

export const DOCKING_JOB_COLUMNS = [
  'job_id',
  'status',
  'engine',
  'pipeline_version',
  'inputs',
  'params',
  'priority',
  'input_signature',
  'submitted_by',
  'request_hash',
  'cache_hit',
  'canonical_job_id',
  'cache_confidence_score',
  'error',
  'created_at',
  'updated_at',
  'started_at',
  'completed_at',
] as const satisfies readonly (keyof DockingJobRow)[];

export const toDockingJob = (row: DockingJobRow): DockingJob => ({
  jobId: row.job_id,
  status: row.status,
  engine: row.engine,
  pipelineVersion: row.pipeline_version,
  inputs: row.inputs,
  params: row.params,
  priority: row.priority,
  inputSignature: row.input_signature,
  submittedBy: row.submitted_by,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  startedAt: row.started_at,
  completedAt: row.completed_at,
  error: row.error,
  cache: {
    hit: row.cache_hit,
    canonicalJobId: row.canonical_job_id,
    confidenceScore: row.cache_confidence_score,
  },
});
