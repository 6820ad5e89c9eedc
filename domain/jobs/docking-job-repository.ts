import type { WriteNote } from '../audit/audit-log.ts';
import type { Page, PageRequest } from '../page.ts';
import type { CacheUse, DockingJob, JobSpecification, JobStatus } from './docking-job.ts';

/** A key under which a submission may be sent again, and the fingerprint of what was sent. */
export interface Idempotency {
  readonly key: string;
  /** Lower-case hex SHA-256 of the request. */
  readonly requestHash: string;
}

export interface NewDockingJob extends JobSpecification {
  readonly jobId: string;
  readonly status: 'PENDING' | 'COMPLETED';
  readonly priority: number;
  readonly inputSignature: string;
  readonly submittedBy: string;
  readonly cache: CacheUse;
  readonly idempotency: Idempotency | null;
  readonly note: WriteNote;
}

/** Position in the list of jobs: newest first, ties broken by id. */
export interface JobKey {
  readonly createdAt: Date;
  readonly jobId: string;
}

/** Docking jobs in one organization's results database. */
export interface DockingJobRepository {
  /** Null when a job with the same idempotency key exists: nothing is written then. */
  insert(job: NewDockingJob): Promise<DockingJob | null>;
  find(jobId: string): Promise<DockingJob | null>;
  /** As `find`, and keeps other writers away from this job until the transaction ends. */
  findForUpdate(jobId: string): Promise<DockingJob | null>;
  findByIdempotencyKey(key: string): Promise<{ job: DockingJob; requestHash: string } | null>;
  list(
    filter: { readonly status: JobStatus | null },
    page: PageRequest<JobKey>,
  ): Promise<Page<DockingJob, JobKey>>;
  /** Sets the status, its times and the error. The caller has checked the move under `findForUpdate`. */
  setStatus(jobId: string, status: JobStatus, error: string | null, note: WriteNote): Promise<DockingJob>;
}
