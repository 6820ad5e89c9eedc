/** How one loop of the process that answers is doing. */
export interface TaskReport {
  readonly name: string;
  /** Null before the first. */
  readonly lastSuccessAt: Date | null;
  /** Null while the loop is not started. */
  readonly nextRunAt: Date | null;
  readonly everySeconds: number;
  readonly lastRunSeconds: number | null;
  /** Since the start. */
  readonly failures: number;
  /** Whether a run that was asked for goes on. */
  readonly isRunning: boolean;
}

/** What this process does beside the requests. */
export interface BackgroundTasks {
  /** In the order of their start. */
  list(): readonly TaskReport[];
  /** Does the task now, and waits for its end, five seconds at most. Null when there is none of that name. */
  run(name: string): Promise<TaskReport | null>;
}
