/** How the runs of a loop went so far. */
export interface RunReport {
  /** Unix time in seconds; null before the first run that went well. */
  readonly lastSuccessAt: number | null;
  readonly failures: number;
  /** Null before the first run ended. */
  readonly lastRunSeconds: number | null;
}

/** What several loops of one kind did together: as well as the worst of them. */
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
});

export interface PeriodicOptions {
  readonly everyMs: number;
  /** One run. A rejection is a failed run; the next one comes all the same. */
  readonly work: () => Promise<void>;
  /** Hears why a run failed. Must not throw. */
  readonly onFailure: (error: unknown) => void;
  /** The first run comes at the start, and not after the first pause. */
  readonly runsAtStart?: boolean;
}

/**
 * Work that a process does again and again, one run at a time. Its timers keep no process alive. Every loop of the
 * service is one of these. Decision 0032.
 */
export class Periodic {
  readonly #options: PeriodicOptions;
  #interval: NodeJS.Timeout | null = null;
  #kick: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  /** The run after the one under way, when somebody asked for it. */
  #next: Promise<void> | null = null;
  #closed = false;
  #lastSuccessAt: number | null = null;
  #failures = 0;
  #lastRunSeconds: number | null = null;

  constructor(options: PeriodicOptions) {
    this.#options = options;
  }

  get isStarted(): boolean {
    return this.#interval !== null;
  }

  /** From the close on, so that a long run can end early. */
  get isClosed(): boolean {
    return this.#closed;
  }

  get report(): RunReport {
    return {
      lastSuccessAt: this.#lastSuccessAt,
      failures: this.#failures,
      lastRunSeconds: this.#lastRunSeconds,
    };
  }

  /** Does not wait for the first run. Safe to call twice; begins again after a close. */
  start(): void {
    if (this.#interval !== null) return;
    this.#closed = false;
    this.#interval = setInterval(() => {
      // A run that takes longer than the pause is not followed by another at once.
      if (this.#running === null) void this.run();
    }, this.#options.everyMs).unref();
    if (this.#options.runsAtStart === true) void this.run();
  }

  /** Has a run begin before its time: after so long, and after the run under way. Nothing before the start. */
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
   * Runs now, or after the run under way: what the caller did before is seen by the run. Callers that wait for the same
   * run share it. Also without a start; not after a close.
   *
   * @returns when that run is over; never rejects
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

  /** Resolves when the run under way is over. Safe to call twice, and without a start. */
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
