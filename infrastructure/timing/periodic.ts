/** The results of a loop's runs so far. */
export interface RunReport {
  /** Unix time in seconds; null before the first successful run. */
  readonly lastSuccessAt: number | null;
  readonly failures: number;
  /** Null before the first run ended. */
  readonly lastRunSeconds: number | null;
  readonly everySeconds: number;
  /** Unix time in seconds; null while the loop is not started. */
  readonly nextRunAt: number | null;
}

/** Merges the reports of several loops: the oldest success, the sum of failures, the longest last run, the first to come. */
export const mergeReports = (reports: readonly RunReport[]): RunReport => ({
  lastSuccessAt: reports.some(({ lastSuccessAt }) => lastSuccessAt === null)
    ? null
    : Math.min(...reports.map(({ lastSuccessAt }) => lastSuccessAt ?? 0)),
  failures: reports.reduce((sum, { failures }) => sum + failures, 0),
  lastRunSeconds: reports.reduce<number | null>(
    (longest, { lastRunSeconds }) =>
      lastRunSeconds === null ? longest : Math.max(longest ?? 0, lastRunSeconds),
    null,
  ),
  everySeconds: Math.min(...reports.map(({ everySeconds }) => everySeconds)),
  nextRunAt: reports.reduce<number | null>(
    (first, { nextRunAt }) => (nextRunAt === null ? first : Math.min(first ?? nextRunAt, nextRunAt)),
    null,
  ),
});

export interface PeriodicOptions {
  readonly everyMs: number;
  /** Does one run. After a rejection the loop goes on. */
  readonly work: () => Promise<void>;
  /** Is called with the error of a failed run. Must not throw. */
  readonly onFailure: (error: unknown) => void;
  /** Whether `start` begins a run at once. Default: the first run comes after `everyMs`. */
  readonly runsAtStart?: boolean;
}

/** Repeats work at a fixed interval, one run at a time. Its timers do not keep the process alive. */
export class Periodic {
  readonly #options: PeriodicOptions;
  #interval: NodeJS.Timeout | null = null;
  #kick: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  /** The run that was requested to follow the current one. */
  #next: Promise<void> | null = null;
  #closed = false;
  #lastSuccessAt: number | null = null;
  #failures = 0;
  #lastRunSeconds: number | null = null;
  /** In `Date.now()`. */
  #tickedAt = 0;

  constructor(options: PeriodicOptions) {
    this.#options = options;
  }

  get isStarted(): boolean {
    return this.#interval !== null;
  }

  get report(): RunReport {
    return {
      lastSuccessAt: this.#lastSuccessAt,
      failures: this.#failures,
      lastRunSeconds: this.#lastRunSeconds,
      everySeconds: this.#options.everyMs / 1000,
      nextRunAt: this.isStarted ? (this.#tickedAt + this.#options.everyMs) / 1000 : null,
    };
  }

  /** Starts the timer and does not wait for a run. Safe to call twice. Works again after `close`. */
  start(): void {
    if (this.#interval !== null) return;
    this.#closed = false;
    this.#tickedAt = Date.now();
    this.#interval = setInterval(() => {
      this.#tickedAt = Date.now();
      // Skip the tick: a run that takes longer than the interval must not be followed by another at once.
      if (this.#running === null) void this.run();
    }, this.#options.everyMs).unref();
    if (this.#options.runsAtStart === true) void this.run();
  }

  /** Requests an extra run, `delayMs` from now and after the current run. Does nothing before `start`. */
  kick(delayMs = 0): void {
    if (this.#interval === null) return;
    if (delayMs === 0) {
      void this.run();
      return;
    }
    this.#kick ??= setTimeout(() => {
      this.#kick = null;
      void this.run();
    }, delayMs).unref();
  }

  /**
   * Runs now, or after the current run. The run begins after this call, so it sees everything that the caller did
   * before. Concurrent callers share one run. Works without `start`; does nothing after `close`.
   *
   * @returns resolves when that run has ended; never rejects
   */
  run(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#running === null) {
      this.#running = this.#runOnce().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.run();
    });
    return this.#next;
  }

  /** Stops the timers and waits for the current run. Safe to call twice, and without `start`. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#interval !== null) clearInterval(this.#interval);
    if (this.#kick !== null) clearTimeout(this.#kick);
    this.#interval = null;
    this.#kick = null;
    await this.#running;
  }

  async #runOnce(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#options.work();
      this.#lastSuccessAt = Date.now() / 1000;
    } catch (error) {
      this.#failures += 1;
      this.#options.onFailure(error);
    }
    this.#lastRunSeconds = (performance.now() - startedAt) / 1000;
  }
}
