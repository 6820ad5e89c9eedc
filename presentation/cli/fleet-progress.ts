import { SingleBar } from 'cli-progress';
import type { FleetProgress } from '../../application/ports/fleet/fleet-ledger.ts';

/** Shows the progress of a run. */
export interface ProgressDisplay {
  show(progress: FleetProgress): void;
  /** Stops drawing, so that other lines can be printed. */
  end(): void;
}

/** A new wave is printed at once. */
const LINE_EVERY_MS = 5000;

/** @param terminal draws a bar there; null prints a plain line now and then */
export const createProgressDisplay = (
  terminal: NodeJS.WritableStream | null,
  print: (line: string) => void,
): ProgressDisplay => (terminal === null ? new ProgressLines(print) : new ProgressBar(terminal));

export const SILENT: ProgressDisplay = { show: () => undefined, end: () => undefined };

/** Fewer organizations, or a shorter time, say nothing of the rest: results are reported in batches. */
const MIN_MEASURED = 8;
const MIN_MEASURED_MS = 1000;

/**
 * The rate of the waves, and how long the rest takes at that rate. Canaries do not count: they go alone, and are several
 * times slower. Both are unknown until enough has been measured.
 */
export class Pace {
  #from: { readonly ended: number; readonly atMs: number } | null = null;

  /** @param nowMs of a clock that only runs forward */
  measure(
    { run, counts }: FleetProgress,
    nowMs: number,
  ): { readonly perSecond: number; readonly secondsLeft: number } | null {
    if (run.wave === 0) return null;
    const ended = counts.done + counts.failed;
    this.#from ??= { ended, atMs: nowMs };
    const measured = ended - this.#from.ended;
    const tookMs = nowMs - this.#from.atMs;
    if (measured < MIN_MEASURED || tookMs < MIN_MEASURED_MS) return null;
    const perSecond = measured / (tookMs / 1000);
    const left = counts.pending + counts.running + counts.deferred;
    return { perSecond, secondsLeft: left / perSecond };
  }
}

class ProgressBar implements ProgressDisplay {
  readonly #bar: SingleBar;
  readonly #pace = new Pace();
  #isDrawn = false;

  constructor(terminal: NodeJS.WritableStream) {
    this.#bar = new SingleBar({
      format: '{bar} {value} of {total} organizations, {details}',
      stream: terminal,
      barsize: 24,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
    });
  }

  show(progress: FleetProgress): void {
    const { counts, organizations } = progress;
    const ended = counts.done + counts.failed;
    const details = detailsOf(progress, this.#pace);
    if (this.#isDrawn) {
      this.#bar.setTotal(organizations);
      this.#bar.update(ended, { details });
      return;
    }
    this.#isDrawn = true;
    this.#bar.start(organizations, ended, { details });
  }

  end(): void {
    if (this.#isDrawn) this.#bar.stop();
  }
}

class ProgressLines implements ProgressDisplay {
  readonly #print: (line: string) => void;
  readonly #pace = new Pace();
  #lastAt = -Infinity;
  #lastWave = -1;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  show(progress: FleetProgress): void {
    const { run, counts, organizations } = progress;
    const isDue = performance.now() - this.#lastAt > LINE_EVERY_MS || run.wave !== this.#lastWave;
    if (!isDue || run.state === 'finished') return;
    this.#lastAt = performance.now();
    this.#lastWave = run.wave;
    const ended = counts.done + counts.failed;
    this.#print(`${ended} of ${organizations} organizations, ${detailsOf(progress, this.#pace)}`);
  }

  end(): void {}
}

const detailsOf = (progress: FleetProgress, pace: Pace): string => {
  const { run, counts, waves } = progress;
  const measured = pace.measure(progress, performance.now());
  return [
    run.wave === 0 ? 'canaries' : `wave ${run.wave} of ${Math.max(run.wave, waves - 1)}`,
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.deferred > 0 ? [`${counts.deferred} busy, tried again later`] : []),
    ...(measured === null ? [] : paceTexts(measured)),
  ].join(', ');
};

const paceTexts = ({ perSecond, secondsLeft }: NonNullable<ReturnType<Pace['measure']>>): string[] => [
  `${perSecond.toFixed(perSecond < 10 ? 1 : 0)}/s`,
  `about ${formatSeconds(secondsLeft)} left`,
];

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export const formatSeconds = (seconds: number): string => {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
};
