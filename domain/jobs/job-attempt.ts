/** How an attempt ended. LOST: its lease lapsed, and another claim found the job. */
export const ATTEMPT_OUTCOMES = ['COMPLETED', 'FAILED', 'LOST', 'RELEASED', 'CANCELED'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** Why a worker gave a job back unfinished. `cannot_run`: not here; it lacks an engine's version, memory, … */
export const RELEASE_REASONS = ['shutdown', 'cannot_run'] as const;
export type ReleaseReason = (typeof RELEASE_REASONS)[number];

export interface WorkerIdentity {
  /** The worker's own name: its failures are counted by it. */
  readonly name: string;
  readonly version: string | null;
}

/** How far a worker says that it has come. */
export interface JobProgress {
  /** 0 to 1. */
  readonly fraction?: number | undefined;
  readonly message?: string | undefined;
}

export interface AttemptError {
  /** A word that programs compare. */
  readonly code: string;
  readonly message: string;
  /** Whether another attempt may succeed. */
  readonly retryable: boolean;
}

export interface AttemptUsage {
  readonly wallSeconds?: number | undefined;
  readonly cpuSeconds?: number | undefined;
}

/** The lease of a running job, as everyone may see it. */
export interface JobLease {
  readonly worker: string;
  /** In the past when the worker is silent and no claim has found the job yet. */
  readonly expiresAt: Date;
}

/** One worker's hold on a job, from its claim to its end. While it is live it is the job's lease. Decision 0045. */
export interface JobAttempt {
  /** Known to its worker alone: whoever names it writes under it. */
  readonly leaseId: string;
  readonly attempt: number;
  readonly worker: WorkerIdentity;
  readonly startedAt: Date;
  readonly expiresAt: Date;
  /** Null while it is live, like the outcome. */
  readonly endedAt: Date | null;
  readonly outcome: AttemptOutcome | null;
  readonly releaseReason: ReleaseReason | null;
  readonly error: AttemptError | null;
  readonly usage: AttemptUsage | null;
  /** The end of the engine's output. */
  readonly logTail: string | null;
}

export const DEFAULT_MAX_ATTEMPTS = 3;
export const MAX_MAX_ATTEMPTS = 10;
/** Of one attempt, when neither the job nor the organization says otherwise. */
export const DEFAULT_MAX_RUNTIME_SECONDS = 24 * 3600;
export const MAX_MAX_RUNTIME_SECONDS = 30 * 24 * 3600;

export const MAX_CLAIMED_JOBS = 50;
/** Of one claim. */
export const MAX_ENGINES = 16;
export const MAX_HEARTBEATS = 200;
export const DEFAULT_LEASE_SECONDS = 120;
export const LEASE_SECONDS = { min: 30, max: 600 } as const;

/** How long a job waits before another attempt, after a failure that need not happen again. */
export const backoffSeconds = (attempt: number): number => Math.min(30 * 2 ** (attempt - 1), 600);

/** How long a job that a worker cannot run waits for another one, when the worker does not say. */
export const CANNOT_RUN_DELAY_SECONDS = 60;

/** A job fails when so many workers in a row of attempts could not run it. */
export const MAX_CANNOT_RUN = 5;

/** A worker with so many failures, within a window and without a success between them, gets no jobs until the window is over. */
export const BENCHING = { failures: 3, windowSeconds: 600 } as const;

/** Codes of failures that speak of a job or its organization and not of the worker: they count for no benching. */
export const BLAMELESS_FAILURES = [
  'unsupported_input',
  'no_poses',
  // The file is gone, or not what its hash says.
  'input_unavailable',
  // The organization is over its quota.
  'outputs_refused',
] as const;

/** Of a job whose last attempt was lost, and of one that no worker could run. */
export const ATTEMPTS_EXHAUSTED = {
  code: 'attempts_exhausted',
  message: 'Every attempt was lost: its worker fell silent.',
} as const;
export const NO_CAPABLE_WORKER = {
  code: 'no_capable_worker',
  message: `${MAX_CANNOT_RUN} times a worker could not run the job.`,
} as const;
