import type { CarriedEntry } from '../../domain/audit/carried-entry.ts';
import { ATTEMPTS_EXHAUSTED, NO_CAPABLE_WORKER } from '../../domain/jobs/job-attempt.ts';
import type { ClaimedJob } from '../../domain/jobs/job-attempt-repository.ts';
import type { Actor } from '../actor.ts';

/** Jobs of engines that the configuration does not name, and workers that do not say what they ask for. */
export const OTHER_ENGINES = 'other';
export const UNKNOWN_ENGINES = 'unknown';

/** What is told of attempts that ended: `lost` of the last one of a job alone, as others leave no entry. */
export const TOLD_OUTCOMES = ['completed', 'failed', 'released', 'lost'] as const;
export type ToldOutcome = (typeof TOLD_OUTCOMES)[number];

export interface WorkFiguresOptions {
  /** Those that are told apart. Clients choose the names of engines, so no others may become a label. */
  readonly engines: readonly string[];
  readonly observeWait: (engine: string, seconds: number) => void;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

interface HandedOut {
  readonly job: Pick<ClaimedJob['job'], 'engine' | 'createdAt' | 'startedAt'>;
  readonly lease: Pick<ClaimedJob['lease'], 'attempt'>;
}

interface LiveWorker {
  engines: readonly string[];
  seenAtMs: number;
}

/** A lease is kept every 40 seconds by default: whoever is silent for longer than two of them has no work and asks for none. */
const LIVE_FOR_MS = 120_000;
const MAX_WORKERS = 10_000;
/** No file is larger: what an outbox says is input. */
const MAX_FILE_BYTES = 1e12;

/** Counts what workers ask for and bring to this process, and what the entries tell that it relays. In memory alone. */
export class WorkFigures {
  readonly attemptsBegun: ReadonlyMap<string, number>;
  readonly attemptsEnded: ReadonlyMap<ToldOutcome, number>;
  readonly #options: WorkFiguresOptions;
  readonly #begun: Map<string, number>;
  readonly #ended: Map<ToldOutcome, number>;
  /** By account and address, the longest silent first. */
  readonly #workers = new Map<string, LiveWorker>();
  #filesAddedBytes = 0;

  constructor(options: WorkFiguresOptions) {
    this.#options = options;
    this.#begun = new Map([...options.engines, OTHER_ENGINES].map((engine) => [engine, 0]));
    this.#ended = new Map(TOLD_OUTCOMES.map((outcome) => [outcome, 0]));
    this.attemptsBegun = this.#begun;
    this.attemptsEnded = this.#ended;
  }

  /** Bytes of files that their organizations did not have before. */
  get filesAddedBytes(): number {
    return this.#filesAddedBytes;
  }

  /**
   * A worker asks for jobs, or keeps those that it has. Workers that share an account and an address count as one.
   *
   * @param engines of the jobs that it asks for; null: it does not say
   */
  seen({ principal: { userId }, address }: Actor, engines: readonly string[] | null): void {
    const key = `${userId} ${address ?? ''}`;
    const known = this.#workers.get(key);
    this.#workers.delete(key);
    const labels = engines === null ? (known?.engines ?? [UNKNOWN_ENGINES]) : this.#labelsOf(engines);
    this.#workers.set(key, { engines: labels, seenAtMs: this.#options.now() });
    if (this.#workers.size > MAX_WORKERS) this.#forgetOldest();
  }

  /** Workers that asked, or kept a job, within the last two minutes. */
  liveWorkers(): ReadonlyMap<string, number> {
    const { engines, now } = this.#options;
    const counts = new Map([...engines, OTHER_ENGINES, UNKNOWN_ENGINES].map((engine) => [engine, 0]));
    for (const [key, worker] of this.#workers)
      if (now() - worker.seenAtMs > LIVE_FOR_MS) this.#workers.delete(key);
      else for (const engine of worker.engines) counts.set(engine, (counts.get(engine) ?? 0) + 1);
    return counts;
  }

  handedOut(jobs: readonly HandedOut[]): void {
    for (const { job, lease } of jobs) {
      const engine = this.#labelOf(job.engine);
      this.#begun.set(engine, (this.#begun.get(engine) ?? 0) + 1);
      // Later attempts waited for the earlier ones as well.
      if (lease.attempt === 1 && job.startedAt !== null)
        this.#options.observeWait(
          engine,
          Math.max(0, (job.startedAt.getTime() - job.createdAt.getTime()) / 1000),
        );
    }
  }

  /** Entries have arrived in the trail. */
  delivered(entries: readonly CarriedEntry[]): void {
    for (const { action, details } of entries) {
      const outcome = outcomeOf(action, details);
      if (outcome !== null) this.#ended.set(outcome, (this.#ended.get(outcome) ?? 0) + 1);
      const bytes = action === 'file.added' ? details['size_bytes'] : 0;
      if (typeof bytes === 'number' && bytes > 0 && bytes <= MAX_FILE_BYTES) this.#filesAddedBytes += bytes;
    }
  }

  #labelOf(engine: string): string {
    return this.#options.engines.includes(engine) ? engine : OTHER_ENGINES;
  }

  #labelsOf(engines: readonly string[]): readonly string[] {
    return [...new Set(engines.map((engine) => this.#labelOf(engine)))];
  }

  #forgetOldest(): void {
    const [oldest] = this.#workers.keys();
    if (oldest !== undefined) this.#workers.delete(oldest);
  }
}

const outcomeOf = (action: string, details: CarriedEntry['details']): ToldOutcome | null => {
  switch (action) {
    case 'job.completed':
      return 'completed';
    case 'job.released':
      return details['reason'] === 'failed' ? 'failed' : 'released';
    case 'job.failed':
      if (details['error_code'] === NO_CAPABLE_WORKER.code) return 'released';
      return details['error_code'] === ATTEMPTS_EXHAUSTED.code ? 'lost' : 'failed';
    default:
      return null;
  }
};
