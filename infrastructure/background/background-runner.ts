import type { RunReport } from '../timing/periodic.ts';

/** A loop of the service: work that goes on beside the requests. `Periodic` is one; classes with state wrap one. */
export interface Background {
  /** Resolves when the requests may begin; most loops do not make them wait. Safe to call twice. Never rejects. */
  start(): void | Promise<void>;
  /** Resolves when nothing of it runs any longer. Safe to call twice, and without a start. */
  close(): Promise<void>;
  readonly report: RunReport;
}

/** Starts and ends every loop of the service, and knows how each is doing. Decision 0032. */
export class BackgroundRunner {
  readonly #tasks: Readonly<Record<string, Background>>;

  /** @param tasks by the label of their metrics, in the order of their start */
  constructor(tasks: Readonly<Record<string, Background>>) {
    this.#tasks = tasks;
  }

  async start(): Promise<void> {
    for (const task of Object.values(this.#tasks)) await task.start();
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#tasks).map((task) => task.close()));
  }

  /** By the name of the task: a closed set. */
  reports(): readonly (readonly [string, RunReport])[] {
    return Object.entries(this.#tasks).map(([name, { report }]) => [name, report]);
  }
}
