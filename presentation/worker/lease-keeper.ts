import type { Logger } from '../../application/ports/runtime/logger.ts';
import { reasonsOf } from '../../domain/reason-of.ts';
import type { JobRun } from './job-run.ts';
import type { LeaseState, OrganizationWork } from './organization-work.ts';
import { pauseUnless, type Pause } from './retry.ts';

const MS = 1000;
/** A lease outlives two heartbeats that fail. */
const BEATS_PER_LEASE = 3;
/** After these, nothing more is claimed: the leases of what would be claimed could not be kept either. */
const MAX_FAILURES = 2;
/** The service takes as many in one request. */
const MAX_LEASES = 200;

/**
 * Extends the leases of all running jobs, at a third of a lease's length, whatever else the worker is doing. A heartbeat
 * that fails ends no job: a lease that lapsed and that nobody took is still good. What the service has taken away is ended.
 */
export class LeaseKeeper {
  readonly #runs: ReadonlySet<JobRun>;
  readonly #intervalMs: number;
  readonly #wait: Pause;
  readonly #log: Logger;
  /** Heartbeats that wait for an answer. */
  readonly #unanswered = new Map<OrganizationWork, Promise<boolean>>();
  #failures = 0;

  constructor({
    runs,
    leaseSeconds,
    wait,
    log,
  }: {
    readonly runs: ReadonlySet<JobRun>;
    readonly leaseSeconds: number;
    readonly wait: Pause;
    readonly log: Logger;
  }) {
    this.#runs = runs;
    this.#intervalMs = (leaseSeconds * MS) / BEATS_PER_LEASE;
    this.#wait = wait;
    this.#log = log;
  }

  /** False after heartbeats that failed, until one succeeds or no job is left to keep. */
  get areKept(): boolean {
    return this.#failures < MAX_FAILURES || this.#runs.size === 0;
  }

  /**
   * Resolves after the signal has aborted. Does not reject. A heartbeat waits for none of another organization, whose database
   * may be slow: every lease would lapse with it.
   */
  async beat(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pauseUnless(this.#wait, this.#intervalMs, signal);
      if (signal.aborted) break;
      void this.#beatOnce();
    }
    await Promise.all(this.#unanswered.values());
  }

  async #beatOnce(): Promise<void> {
    const byOrganization = new Map<OrganizationWork, JobRun[]>();
    for (const run of this.#runs)
      if (!this.#unanswered.has(run.work))
        byOrganization.set(run.work, [...(byOrganization.get(run.work) ?? []), run]);
    if (byOrganization.size === 0) return;
    const sent = [...byOrganization].map(([work, runs]) => {
      const extending = this.#extend(work, runs).finally(() => this.#unanswered.delete(work));
      this.#unanswered.set(work, extending);
      return extending;
    });
    const outcomes = await Promise.all(sent);
    // One organization may be suspended. When none answers, it is this worker.
    this.#failures = outcomes.some(Boolean) ? 0 : this.#failures + 1;
  }

  /** @returns whether the service answered */
  async #extend(work: OrganizationWork, runs: readonly JobRun[]): Promise<boolean> {
    const sent = runs.slice(0, MAX_LEASES);
    try {
      const states = await work.heartbeat(
        sent.map((run) => run.held),
        this.#intervalMs,
      );
      for (const run of sent) obey(run, states.get(run.jobId) ?? 'held');
      return true;
    } catch (error) {
      this.#log.write('worker.heartbeat_failed', { jobs: runs.length, reason: reasonsOf(error) });
      return false;
    }
  }
}

const obey = (run: JobRun, state: LeaseState): void => {
  if (state !== 'held') run.interrupt(state);
};
