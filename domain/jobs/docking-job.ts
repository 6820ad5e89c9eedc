import type { JsonText } from '../json-text.ts';
import { JobStateConflictError } from './errors.ts';
import type { JobLease, JobProgress } from './job-attempt.ts';

export const JOB_STATUSES = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** Every legal move of a caller. Any other is a conflict. What ends an attempt also gives a job back: decision 0045. */
const MOVES: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  PENDING: ['RUNNING', 'CANCELED'],
  RUNNING: ['COMPLETED', 'FAILED', 'CANCELED'],
  COMPLETED: [],
  FAILED: [],
  CANCELED: [],
};

export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads inputs or params as they are stored: a constraint of the database holds both to objects. */
export const readObject = ({ text }: JsonText): JsonObject => JSON.parse(text) as JsonObject;

/** The part of a job that decides its result, and therefore its input signature. */
export interface JobSpecification {
  readonly engine: string;
  readonly pipelineVersion: string;
  readonly inputs: JsonObject;
  readonly params: JsonObject;
}

/** What a submitter asks for. */
export interface JobRequest extends JobSpecification {
  /** Higher runs first; 0 to 100. */
  readonly priority: number;
}

/** Whose results a job shows: its own, or those of the canonical job that had the same inputs. */
export interface CacheUse {
  readonly hit: boolean;
  readonly canonicalJobId: string | null;
  /** 0 to 1; null when the canonical job's tasks gave none. */
  readonly confidenceScore: number | null;
}

/** A job without its large parts. */
export interface JobSummary extends Omit<JobRequest, 'inputs' | 'params'> {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly inputSignature: string;
  readonly submittedBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly startedAt: Date | null;
  readonly completedAt: Date | null;
  readonly error: string | null;
  /** Why it failed, in a word that programs compare. */
  readonly errorCode: string | null;
  /** How many attempts workers have begun under a lease, without those that gave the job back. */
  readonly attempt: number;
  /** After so many lost or failed ones it fails. */
  readonly maxAttempts: number;
  /** Of one attempt; null: as the organization's settings say. */
  readonly maxRuntimeSeconds: number | null;
  /** While a worker holds the job by a lease. */
  readonly lease: JobLease | null;
  readonly progress: JobProgress | null;
  /** The submitter's name for it; need not be unique. */
  readonly label: string | null;
  readonly campaignId: string | null;
  /** The failed or canceled job in whose place this one was submitted. */
  readonly retryOf: string | null;
  readonly cache: CacheUse;
}

/** What whoever locks a job decides by. Its lease is asked for afterwards: it may be of the moment before the lock. */
export type LockedJob = Pick<
  JobSummary,
  'jobId' | 'status' | 'engine' | 'campaignId' | 'inputSignature' | 'submittedBy' | 'attempt' | 'maxAttempts'
>;

/** One molecular docking that an organization asked for. */
export interface DockingJob extends JobSummary {
  readonly inputs: JsonText;
  readonly params: JsonText;
}

export const DEFAULT_PIPELINE_VERSION = '1.0.0';
export const DEFAULT_PRIORITY = 0;

/** @throws {JobStateConflictError} when the move is not legal */
export const assertMove = (from: JobStatus, to: JobStatus): void => {
  if (!MOVES[from].includes(to)) throw new JobStateConflictError(from, `become ${to}`);
};

/** No move leads out of it. */
export const isFinished = (status: JobStatus): boolean => MOVES[status].length === 0;

/**
 * Later jobs of the same input signature get the results of a finished job, so those never change. Decision 0004.
 *
 * @throws {JobStateConflictError} when the job is finished
 */
export const assertAcceptsOutput = (status: JobStatus): void => {
  if (isFinished(status)) throw new JobStateConflictError(status, 'take further results');
};

/** The job whose task results and artifacts answer for this one. */
export const outputJobId = (job: Pick<JobSummary, 'jobId' | 'cache'>): string =>
  job.cache.hit && job.cache.canonicalJobId !== null ? job.cache.canonicalJobId : job.jobId;
