/** Jobs of one engine in one state are counted up to this number: a count that equals it means at least so many. */
export const MOST_COUNTED = 10_000;
/** Engines that a survey lists, and workers of each. */
export const MOST_ENGINES = 100;
export const MOST_WORKERS = 20;

export interface SeenWorker {
  readonly name: string;
  /** When it last claimed, kept or ended a lease of this engine. */
  readonly lastSeenAt: Date;
}

/** The jobs of one engine that wait or run. */
export interface EngineQueue {
  readonly engine: string;
  /** Pending jobs that a worker may claim now. */
  readonly due: number;
  /** Pending jobs that wait for a moment. */
  readonly delayed: number;
  /** When the oldest of the pending jobs was submitted. */
  readonly oldestAt: Date | null;
  /** When the first of the delayed jobs may be claimed. */
  readonly nextDueAt: Date | null;
  /** Jobs under a lease that holds. */
  readonly leased: number;
  /** Jobs that run without a lease: their worker moves them by itself. */
  readonly unleased: number;
  /** Jobs whose lease has lapsed: the next claim takes them. */
  readonly lapsed: number;
  /** The latest first. */
  readonly workers: readonly SeenWorker[];
}

export interface QueueSurvey {
  /** By name. */
  readonly engines: readonly EngineQueue[];
  /** Whether there are more engines. */
  readonly isCut: boolean;
}

/** What waits and runs in one organization's results database. */
export interface JobQueue {
  /** Costs the same however many jobs wait. */
  survey(): Promise<QueueSurvey>;
}

/**
 * Why jobs of an engine wait.
 * - `time`: none of them may be claimed yet.
 * - `running_limit`: the organization's workers hold as many leases as its settings allow.
 * - `busy_workers`: those that there are work on others.
 * - `worker`: nobody works for the engine.
 */
export const WAIT_CAUSES = ['time', 'running_limit', 'busy_workers', 'worker'] as const;
export type WaitCause = (typeof WAIT_CAUSES)[number];

/**
 * @param limits.leases of all engines
 * @returns null where nothing waits
 */
export const waitCauseOf = (
  { due, delayed, leased, unleased, lapsed }: EngineQueue,
  {
    leases,
    maxRunningJobs = Infinity,
  }: { readonly leases: number; readonly maxRunningJobs?: number | undefined },
): WaitCause | null => {
  if (due + lapsed === 0) return delayed > 0 ? 'time' : null;
  if (leases >= maxRunningJobs) return 'running_limit';
  return leased + unleased > 0 ? 'busy_workers' : 'worker';
};
