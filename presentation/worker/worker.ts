import type { Logger } from '../../application/ports/runtime/logger.ts';
import { reasonsOf } from '../../domain/reason-of.ts';
import { JobRun, type ClaimedJob, type RunTools } from './job-run.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { backoffMs, pauseUnless, type Pause } from './retry.ts';
import type { VinaEngine } from './vina-engine.ts';
import type { WorkSource } from './work-source.ts';

export interface WorkerOptions {
  readonly source: WorkSource;
  readonly engine: VinaEngine;
  /** Jobs that run at the same time. */
  readonly slots: number;
  readonly leaseSeconds: number;
  readonly temporaryFolder: string;
  readonly log: Logger;
  readonly wait: Pause;
  /** Null: nothing is traced. */
  readonly tracing: RunTools['tracing'];
}

/** The service may ask for less. An organization that has nothing to do is asked this often at most. */
const SHORTEST_PAUSE_MS = 1000;
/** After jobs that this machine could not do: the next ones would fare alike, and it would empty the queue. */
const LONGEST_FAULT_DOUBLINGS = 6;

/**
 * Claims jobs for its free slots, does them, and keeps their leases. States: it *works*, it *holds off* (its heartbeats
 * fail, or its machine fails at every job: it claims nothing), it *stops* (it gives everything back).
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #runs = new Set<JobRun>();
  readonly #stopping = new AbortController();
  readonly #leases: LeaseKeeper;
  #faults = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { leaseSeconds, wait, log } = options;
    this.#leases = new LeaseKeeper({ runs: this.#runs, leaseSeconds, wait, log });
  }

  /** Resolves after `stop`, when every job has ended and every lease was given back. Does not reject. */
  async run(): Promise<void> {
    const heartbeats = new AbortController();
    const beating = this.#leases.beat(heartbeats.signal);
    await this.#claimUntilStopped();
    for (const run of this.#runs) run.interrupt('shutdown');
    await Promise.all([...this.#runs].map((run) => run.ended));
    heartbeats.abort();
    await beating;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #claimUntilStopped(): Promise<void> {
    const { signal } = this.#stopping;
    const { log, wait } = this.#options;
    const stopped = once(signal);
    let failures = 0;
    while (!signal.aborted) {
      const free = this.#options.slots - this.#runs.size;
      if (free === 0) {
        await Promise.race([...[...this.#runs].map((run) => run.ended), stopped]);
        continue;
      }
      let pauseMs: number;
      try {
        pauseMs = await this.#claim(free);
        failures = 0;
      } catch (error) {
        failures += 1;
        pauseMs = backoffMs(failures, error);
        if (!signal.aborted)
          log.write('worker.claim_failed', { pause_ms: pauseMs, reason: reasonsOf(error) });
      }
      await pauseUnless(wait, pauseMs, signal);
    }
  }

  /** @returns how long to wait before the next claim */
  async #claim(free: number): Promise<number> {
    if (!this.#leases.areKept) return SHORTEST_PAUSE_MS;
    let claimed = 0;
    const retryAfterMs = await this.#options.source.claim(free, this.#stopping.signal, (job) => {
      claimed += 1;
      this.#start(job);
    });
    if (this.#faults > 0) return backoffMs(Math.min(this.#faults, LONGEST_FAULT_DOUBLINGS), null);
    return claimed > 0 ? 0 : Math.max(retryAfterMs, SHORTEST_PAUSE_MS);
  }

  #start(claimed: ClaimedJob): void {
    const { engine, temporaryFolder, wait, log, tracing }: RunTools = this.#options;
    const run = new JobRun(claimed, { engine, temporaryFolder, wait, log, tracing });
    this.#runs.add(run);
    void this.#end(run);
  }

  async #end(run: JobRun): Promise<void> {
    const ending = await run.ended;
    this.#faults = ending === 'faulty' ? this.#faults + 1 : 0;
    this.#runs.delete(run);
  }
}

const once = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
