import type { WriteNote } from '../audit/audit-log.ts';
import type { JobStatus } from './docking-job.ts';
import type { Idempotency, NewDockingJob } from './docking-job-repository.ts';

/** Jobs that are submitted together: all of them, or none. */
export interface NewJobBatch {
  readonly batchId: string;
  readonly campaignId: string | null;
  /** In the order of the batch. They have in common what a batch says of all: campaign, engine, version, priority, attempts. */
  readonly jobs: readonly BatchedJob[];
  readonly idempotency: Idempotency | null;
  /** The one entry of the trail for all of them. */
  readonly note: WriteNote;
}

export type BatchedJob = Omit<NewDockingJob, 'idempotency' | 'note' | 'retryOf'>;

export interface BatchItem {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly cacheHit: boolean;
}

/** A batch that was submitted, with its jobs as they are now, in its order. */
export interface JobBatch {
  readonly batchId: string;
  readonly campaignId: string | null;
  readonly items: readonly BatchItem[];
}

export interface JobBatchRepository {
  /** Writes the batch and its jobs. False, and nothing is written, when a batch with the same idempotency key exists. */
  insert(batch: NewJobBatch): Promise<boolean>;
  findByIdempotencyKey(key: string): Promise<{ batch: JobBatch; requestHash: string } | null>;
}
