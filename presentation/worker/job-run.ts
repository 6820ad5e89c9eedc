import type { Logger } from '../../application/ports/runtime/logger.ts';
import { errorType, type Span, type Tracing } from '../../application/ports/runtime/tracing.ts';
import { reasonsOf } from '../../domain/reason-of.ts';
import { ApiError } from '../rest/api-error.ts';
import { dock } from './dock.ts';
import type { Completion, HeldLease, OrganizationWork } from './organization-work.ts';
import { pauseUnless, refusesWorker, retrying, type Pause } from './retry.ts';
import type { VinaEngine } from './vina-engine.ts';
import type { JobToDo, Lease } from './work-replies.ts';

export interface ClaimedJob {
  readonly job: JobToDo;
  readonly lease: Lease;
  /** The organization whose job it is. */
  readonly work: OrganizationWork;
}

/**
 * Why a job ends before it is done.
 * - `canceled`, `lost`: the service says so, and wants nothing more of the job.
 * - `runtime`: the job has had its time, and fails.
 * - `shutdown`: the job is given back, and its attempt does not count.
 */
export type Interruption = 'canceled' | 'lost' | 'runtime' | 'shutdown';

/** What became of a job: `faulty` means that this machine could not do it. */
export type Ending = 'delivered' | 'interrupted' | 'faulty';

type Stage = 'fetching' | 'docking' | 'delivering';

export interface RunTools {
  readonly engine: VinaEngine;
  readonly temporaryFolder: string;
  readonly wait: Pause;
  readonly log: Logger;
  /** Null: nothing is traced. */
  readonly tracing: Pick<Tracing, 'begin'> | null;
}

/** A job whose engine has ended may still be delivered for this long while the worker stops. */
const DELIVERY_GRACE_MS = 10_000;
/** Until another worker, on a machine that may be in order, tries the job. */
const FAULT_DELAY_SECONDS = 60;

/** One job under its lease, from the claim to the end of its last process. */
export class JobRun {
  readonly ended: Promise<Ending>;
  /** For heartbeats, which are about many jobs. */
  readonly work: OrganizationWork;
  /** For requests about this job alone. */
  readonly #ownWork: OrganizationWork;
  /** Null: nothing is traced. */
  readonly #trace: Span | null;
  #step: Span | null = null;
  readonly #claimed: ClaimedJob;
  readonly #tools: RunTools;
  readonly #interruption = new AbortController();
  #interrupted: Interruption | null = null;
  #stage: Stage = 'fetching';
  #fraction: () => number = () => 0;

  constructor(claimed: ClaimedJob, tools: RunTools) {
    this.#claimed = claimed;
    this.#tools = tools;
    this.work = claimed.work;
    const span = tools.tracing?.begin('worker.job', { 'mad.attempt': claimed.lease.attempt }) ?? null;
    this.#trace = span;
    this.#ownWork = span === null ? claimed.work : claimed.work.inTrace(() => (this.#step ?? span).headers);
    tools.log.write('job.claimed', {
      job_id: this.jobId,
      attempt: claimed.lease.attempt,
      trace_id: span?.traceId,
    });
    this.ended = this.#run();
  }

  get jobId(): string {
    return this.#claimed.job.job_id;
  }

  /** For the heartbeat. */
  get held(): HeldLease {
    const fraction = this.#stage === 'docking' ? { fraction: this.#fraction() } : {};
    return {
      jobId: this.jobId,
      leaseId: this.#claimed.lease.lease_id,
      progress: { ...fraction, message: this.#stage },
    };
  }

  /** Ends the engine and whatever else is under way. The first reason counts, but for a service that wants no more. */
  interrupt(reason: Interruption): void {
    const isOver = reason === 'canceled' || reason === 'lost';
    const isLate = this.#stage === 'delivering';
    // Where a result is there already, the time that it took does not matter anymore.
    if ((this.#interrupted !== null && !isOver) || (isLate && reason === 'runtime')) return;
    this.#interrupted = reason;
    if (isLate && reason === 'shutdown') void this.#abortAfterGrace();
    else this.#interruption.abort();
  }

  async #abortAfterGrace(): Promise<void> {
    await pauseUnless(this.#tools.wait, DELIVERY_GRACE_MS, this.#interruption.signal);
    this.#interruption.abort();
  }

  async #run(): Promise<Ending> {
    const clock = new AbortController();
    void this.#limitRuntime(clock.signal);
    try {
      const ending = await this.#end();
      this.#trace?.set({ 'mad.ending': this.#interrupted ?? ending });
      return ending;
    } finally {
      clock.abort();
      this.#interruption.abort();
      this.#step?.end();
      this.#trace?.end();
    }
  }

  async #end(): Promise<Ending> {
    try {
      return await this.#deliver(await this.#dock());
    } catch (error) {
      if (this.#interrupted === null) this.#trace?.fail(errorType(error));
      this.#enter('releasing');
      return await this.#giveUp(error);
    }
  }

  async #limitRuntime(signal: AbortSignal): Promise<void> {
    const seconds = this.#claimed.lease.max_runtime_seconds;
    if (seconds === null) return;
    await pauseUnless(this.#tools.wait, Math.min(seconds * 1000, LONGEST_TIMER_MS), signal);
    if (!signal.aborted) this.interrupt('runtime');
  }

  #dock(): Promise<Completion> {
    const { engine, temporaryFolder } = this.#tools;
    const { signal } = this.#interruption;
    const retry = <Value>(work: () => Promise<Value>): Promise<Value> => this.#retry(work);
    return dock(
      this.#claimed,
      { engine, temporaryFolder, work: this.#ownWork, retry },
      {
        signal,
        fetching: () => this.#enter('fetching'),
        docking: (run) => {
          this.#enter('docking');
          this.#fraction = run.progress;
        },
        delivering: () => this.#enter('delivering'),
      },
    );
  }

  #enter(stage: Stage | 'releasing'): void {
    if (stage !== 'releasing') this.#stage = stage;
    this.#step?.end();
    this.#step = this.#trace?.begin(`worker.${stage}`) ?? null;
  }

  #retry<Value>(work: () => Promise<Value>): Promise<Value> {
    return retrying(work, {
      signal: this.#interruption.signal,
      wait: this.#tools.wait,
      onFailure: (error, delayMs) =>
        this.#tools.log.write('job.request_failed', {
          job_id: this.jobId,
          pause_ms: delayMs,
          reason: reasonsOf(error),
        }),
    });
  }

  /** A completion that is sent twice counts once, so it is repeated until there is an answer. */
  async #deliver(completion: Completion): Promise<Ending> {
    const { lease } = this.#claimed;
    const { signal } = this.#interruption;
    const { log } = this.#tools;
    try {
      await this.#retry(() => this.#ownWork.complete(this.jobId, lease.lease_id, completion, signal));
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError) || refusesWorker(error)) throw error;
      if (error.status === 409 || error.status === 404) {
        log.write('job.result_unwanted', { job_id: this.jobId, code: error.code });
        return 'interrupted';
      }
      if (completion.error?.code === 'outputs_refused') throw error;
      log.write('job.result_refused', { job_id: this.jobId, reason: error.message });
      return this.#deliver(refused(completion, error));
    }
    const { outcome, error, usage } = completion;
    if (error !== undefined) this.#trace?.fail(error.code);
    log.write('job.ended', {
      job_id: this.jobId,
      outcome,
      code: error?.code,
      wall_seconds: usage.wall_seconds,
    });
    return 'delivered';
  }

  async #giveUp(error: unknown): Promise<Ending> {
    const { log } = this.#tools;
    const interruption = this.#interrupted;
    switch (interruption) {
      case 'canceled':
      case 'lost':
        log.write('job.stopped', { job_id: this.jobId, interruption });
        return 'interrupted';
      case 'runtime':
        return await this.#deliverAnyway(RUNTIME_EXCEEDED);
      case 'shutdown':
        await this.#release({ reason: 'shutdown' });
        return 'interrupted';
      case null:
        if (refusesWorker(error)) {
          log.write('job.refused', { job_id: this.jobId, reason: reasonsOf(error) });
          // The refusal may be over by now.
          await this.#release({ reason: 'shutdown' });
          return 'interrupted';
        }
        log.write('job.undoable', { job_id: this.jobId, reason: reasonsOf(error) });
        await this.#release({ reason: 'cannot_run', delay_seconds: FAULT_DELAY_SECONDS });
        return 'faulty';
    }
  }

  async #deliverAnyway(completion: Completion): Promise<Ending> {
    const { lease } = this.#claimed;
    try {
      await this.#ownWork.complete(
        this.jobId,
        lease.lease_id,
        completion,
        AbortSignal.timeout(DELIVERY_GRACE_MS),
      );
      this.#tools.log.write('job.timed_out', { job_id: this.jobId });
    } catch (error) {
      // The service ends the attempt by itself, by the same limit.
      this.#tools.log.write('job.timeout_untold', { job_id: this.jobId, reason: reasonsOf(error) });
    }
    return 'interrupted';
  }

  async #release(release: Parameters<OrganizationWork['release']>[2]): Promise<void> {
    const { log } = this.#tools;
    try {
      await this.#ownWork.release(this.jobId, this.#claimed.lease.lease_id, release);
      log.write('job.released', { job_id: this.jobId, ...release });
    } catch (error) {
      // Its lease ends by itself.
      log.write('job.release_failed', { job_id: this.jobId, reason: reasonsOf(error) });
    }
  }
}

const LONGEST_TIMER_MS = 2_147_483_647;

const RUNTIME_EXCEEDED: Completion = {
  outcome: 'FAILED',
  error: { code: 'runtime_exceeded', message: 'the job had its time, and was stopped', retryable: false },
  task_results: [],
  artifacts: [],
  usage: { wall_seconds: 0 },
};

const refused = ({ usage, log_tail }: Completion, { code, status }: ApiError): Completion => ({
  outcome: 'FAILED',
  error: {
    code: 'outputs_refused',
    message: `the service does not take the result: ${code ?? status}`,
    retryable: false,
  },
  task_results: [],
  artifacts: [],
  usage,
  ...(log_tail !== undefined && { log_tail }),
});
