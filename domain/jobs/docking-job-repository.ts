import type { WriteNote } from '../audit/audit-log.ts';
import type { PagePart, PartRequest } from '../page.ts';
import type { DockingJob, JobRequest, JobStatus, JobSummary, LockedJob } from './docking-job.ts';

/** A key under which a client may repeat a submission, and the fingerprint of what it sent. */
export interface Idempotency {
  readonly key: string;
  /** Lower-case hex SHA-256 of the request. */
  readonly requestHash: string;
}

/** What an insert does not write: the database sets it. */
export type SetByDatabase =
  | 'createdAt'
  | 'updatedAt'
  | 'startedAt'
  | 'completedAt'
  | 'error'
  | 'errorCode'
  | 'attempt'
  | 'lease'
  | 'progress';

export interface NewDockingJob
  extends Omit<JobSummary, SetByDatabase>, Pick<JobRequest, 'inputs' | 'params'> {
  readonly status: 'PENDING' | 'COMPLETED';
  readonly idempotency: Idempotency | null;
  readonly note: WriteNote;
}

/** What an insert gives back: JSON as the database keeps it, with its members in another order than they were sent. */
export type InsertedParts = Pick<DockingJob, 'createdAt' | 'inputs' | 'params'>;

/** The job as every later read shows it. */
export const insertedJob = (
  { idempotency: _idempotency, note: _note, inputs: _inputs, params: _params, ...job }: NewDockingJob,
  { createdAt, inputs, params }: InsertedParts,
): DockingJob => ({
  inputs,
  params,
  createdAt,
  updatedAt: createdAt,
  startedAt: null,
  completedAt: job.cache.hit ? createdAt : null,
  error: null,
  errorCode: null,
  attempt: 0,
  lease: null,
  progress: null,
  ...job,
});

/** Which jobs a list holds. What is left out, or null, narrows nothing. */
export interface JobFilter {
  readonly status?: JobStatus | null;
  readonly campaignId?: string | null;
  readonly engine?: string | null;
  readonly label?: string | null;
  readonly submittedBy?: string | null;
  readonly errorCode?: string | null;
  /** Later than this. */
  readonly createdAfter?: Date | null;
  /** Earlier than this. */
  readonly createdBefore?: Date | null;
}

/** Position in the list of jobs: newest first, ties broken by id. */
export interface JobKey {
  readonly createdAt: Date;
  readonly jobId: string;
}

/** Docking jobs in one organization's results database. */
export interface DockingJobRepository {
  /** Null, and nothing is written, when a job with the same idempotency key exists. */
  insert(job: NewDockingJob): Promise<DockingJob | null>;
  find(jobId: string): Promise<DockingJob | null>;
  /** As `find`, without reading the large parts. */
  findSummary(jobId: string): Promise<JobSummary | null>;
  /** As `findSummary`, and locks the job against other writers until the transaction ends. */
  findForUpdate(jobId: string): Promise<LockedJob | null>;
  findByIdempotencyKey(key: string): Promise<{ job: DockingJob; requestHash: string } | null>;
  list(filter: JobFilter, part: PartRequest<JobKey>): Promise<PagePart<DockingJob, JobKey>>;
  /** As `list`, without reading the large parts. */
  listSummaries(filter: JobFilter, part: PartRequest<JobKey>): Promise<PagePart<JobSummary, JobKey>>;
  /** Counts the jobs that wait, up to a number: no further ones are looked at. */
  countPending(most: number): Promise<number>;
  /** Keeps others who count the jobs that wait away until the transaction ends. */
  lockPending(): Promise<void>;
  /**
   * Sets the status of a job without a live attempt, its times and the error. The caller has checked the move after
   * `findForUpdate`.
   */
  setStatus(jobId: string, status: JobStatus, error: string | null, note: WriteNote): Promise<DockingJob>;
}
