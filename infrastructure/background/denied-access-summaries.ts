import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

const INTERVAL_MS = 15_000;

/** Has the refusals of callers who kept trying written down, also when they have stopped, or the process does. */
export class DeniedAccessSummaries implements Background {
  readonly #summarize: (which: { readonly all: boolean }) => Promise<void>;
  readonly #flushes: Periodic;

  /** @param summarize writes the sums down, and logs what it cannot write */
  constructor(summarize: (which: { readonly all: boolean }) => Promise<void>) {
    this.#summarize = summarize;
    this.#flushes = new Periodic({
      everyMs: INTERVAL_MS,
      work: () => summarize({ all: false }),
      onFailure: () => undefined,
    });
  }

  get report(): RunReport {
    return this.#flushes.report;
  }

  run(): Promise<void> {
    return this.#flushes.run();
  }

  start(): void {
    this.#flushes.start();
  }

  async close(): Promise<void> {
    await this.#flushes.close();
    await this.#summarize({ all: true });
  }
}
