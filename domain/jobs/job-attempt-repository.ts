import type { WriteNote } from '../audit/audit-log.ts';
import type { PagePart, PartRequest } from '../page.ts';
import type { DockingJob, JobStatus, LockedJob } from './docking-job.ts';
import type {
  AttemptError,
  AttemptOutcome,
  AttemptUsage,
  JobAttempt,
  JobProgress,
  ReleaseReason,
  WorkerIdentity,
} from './job-attempt.ts';

export interface JobClaim {
  readonly worker: WorkerIdentity;
  readonly engines: readonly string[];
  /** The most jobs. */
  readonly limit: number;
  readonly leaseSeconds: number;
  /** Of jobs that say nothing themselves. */
  readonly maxRuntimeSeconds: number;
  /** The most leases of the organization that may be held at a time; null: any number. */
  readonly maxRunningJobs: number | null;
}

export interface ClaimedJob {
  readonly job: DockingJob;
  readonly lease: {
    readonly leaseId: string;
    readonly attempt: number;
    readonly expiresAt: Date;
    /** How long the attempt may take. */
    readonly maxRuntimeSeconds: number;
  };
}

export interface ClaimResult {
  readonly claimed: readonly ClaimedJob[];
  /** In how many seconds the worker gets jobs again after its failures; null when it gets some now. */
  readonly benchedSeconds: number | null;
  /** How many jobs the claim could have taken: fewer than its limit when the quota of running jobs is near. */
  readonly room: number;
}

/** When a claim of some engines can find something. */
export interface Outlook {
  /** Jobs wait, and another claim holds them at this moment. */
  readonly isWaiting: boolean;
  /** In how many seconds the next job is due: it waits for a moment, or its lease lapses then. Null: none is. */
  readonly dueInSeconds: number | null;
}

/** A lease, and the job that it is said to be of. */
export interface LeaseKey {
  readonly jobId: string;
  readonly leaseId: string;
}

/** An attempt is live while it has no outcome. */
export interface LockedAttempt {
  readonly job: LockedJob;
  readonly outcome: AttemptOutcome | null;
}

export interface Heartbeat extends LeaseKey {
  readonly progress: JobProgress | null;
}

/** `lost`: the lease is another's, the job has run for too long, or there never was such a lease. */
export type LeaseState = 'held' | 'canceled' | 'lost';

/** How an attempt ends. */
export interface AttemptEnd {
  readonly outcome: AttemptOutcome;
  readonly error: AttemptError | null;
  readonly usage: AttemptUsage | null;
  readonly logTail: string | null;
  readonly releaseReason: ReleaseReason | null;
}

/** What becomes of a job and of its live attempt, if it has one. */
export interface Settlement {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly error: string | null;
  readonly errorCode: string | null;
  /** How many attempts it has used now. */
  readonly attempt: number;
  /** With PENDING: no claim takes it before. */
  readonly delaySeconds: number;
  readonly end: AttemptEnd;
  /** Whether what was written under the lease is dropped: another attempt will write it anew. */
  readonly dropsOutput: boolean;
  readonly note: WriteNote;
}

export interface Cancellation {
  readonly campaignId: string | null;
  readonly jobIds: readonly string[] | null;
  readonly status: 'PENDING' | 'RUNNING' | null;
  /** Null: anyone's. */
  readonly submittedBy: string | null;
}

/** Where an attempt stands in its job's history: by its beginning. */
export interface AttemptKey {
  readonly startedAt: Date;
  readonly leaseId: string;
}

/**
 * The attempts of jobs, in one organization's results database. Every time is the database server's. Whoever changes an
 * attempt and its job locks the job first; heartbeats touch attempts alone. Decision 0045.
 */
export interface JobAttemptRepository {
  /**
   * Takes jobs whose lease lapsed, then those that wait: highest priority first, oldest within it. Ends lost attempts and
   * drops what they wrote. Jobs that have no attempt left become FAILED. Claims at the same time get different jobs.
   *
   * @param note who claims; its action and details are made here
   */
  claim(claim: JobClaim, note: Omit<WriteNote, 'action' | 'details'>): Promise<ClaimResult>;
  /** Has claims that count leases follow one another, until the transaction ends. */
  lockClaims(): Promise<void>;
  outlook(engines: readonly string[]): Promise<Outlook>;
  /** Extends leases, each of a job's and a lease's id. Leaves no audit entry. In the order of `beats`. */
  heartbeat(
    beats: readonly Heartbeat[],
  ): Promise<readonly { readonly state: LeaseState; readonly expiresAt: Date | null }[]>;
  /**
   * Locks jobs and an attempt of each until the transaction ends. Those who lock several at the same time never wait for each
   * other in a circle.
   *
   * @returns in the order of `leases`; null where the job has no such attempt
   */
  lock(leases: readonly LeaseKey[]): Promise<readonly (LockedAttempt | null)[]>;
  /** Whether some lease of the job is live. The caller holds the job's lock. */
  hasLive(jobId: string): Promise<boolean>;
  /** As a heartbeat does, for a lease that the caller has locked. */
  extend(leaseId: string): Promise<void>;
  /** Moves jobs that the caller has locked, each once, and ends their live attempts. */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** How many attempts of the job ended because their worker could not run it. */
  countCannotRun(jobId: string): Promise<number>;
  /**
   * Cancels at most `limit` jobs that wait or run, and ends their attempts. Within a transaction alone: it locks them first.
   *
   * @param note its details get `job_ids`, of at most 100 jobs, and `jobs`, their number
   * @returns how many
   */
  cancel(cancellation: Cancellation, limit: number, note: WriteNote): Promise<number>;
  /** In the order in which they began. */
  listByJob(jobId: string, part: PartRequest<AttemptKey>): Promise<PagePart<JobAttempt, AttemptKey>>;
}
