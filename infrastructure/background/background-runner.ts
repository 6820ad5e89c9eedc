import type { BackgroundTasks, TaskReport } from '../../application/ports/runtime/background-tasks.ts';
import type { RunReport } from '../timing/periodic.ts';

/** A loop of the service: work that goes on beside the requests. `Periodic` is one; classes with state wrap one. */
export interface Background {
  /** Resolves when the requests may begin; most loops do not make them wait. Safe to call twice. Never rejects. */
  start(): void | Promise<void>;
  /** Resolves when nothing of it runs any longer. Safe to call twice, and without a start. */
  close(): Promise<void>;
  /** Does now what it does every time, or joins what is under way. Resolves at its end. Never rejects. */
  run(): Promise<void>;
  readonly report: RunReport;
}

/** How long whoever has a task run waits for its end. */
const LONGEST_ANSWER_MS = 5000;

const after = (delayMs: number): Promise<false> =>
  new Promise((resolve) => void setTimeout(() => resolve(false), delayMs).unref());

const toTask = (name: string, report: RunReport): TaskReport => ({
  name,
  lastSuccessAt: toDate(report.lastSuccessAt),
  nextRunAt: toDate(report.nextRunAt),
  everySeconds: report.everySeconds,
  lastRunSeconds: report.lastRunSeconds,
  failures: report.failures,
  isRunning: false,
});

const toDate = (seconds: number | null): Date | null => (seconds === null ? null : new Date(seconds * 1000));

/** Starts and ends every loop of the service, and knows how each is doing. Decision 0032. */
export class BackgroundRunner implements BackgroundTasks {
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

  list(): readonly TaskReport[] {
    return this.reports().map(([name, report]) => toTask(name, report));
  }

  async run(name: string): Promise<TaskReport | null> {
    const task = Object.hasOwn(this.#tasks, name) ? this.#tasks[name] : undefined;
    if (task === undefined) return null;
    const isOver = await Promise.race([task.run().then(() => true), after(LONGEST_ANSWER_MS)]);
    return { ...toTask(name, task.report), isRunning: !isOver };
  }

  /** By the name of the task: a closed set. */
  reports(): readonly (readonly [string, RunReport])[] {
    return Object.entries(this.#tasks).map(([name, { report }]) => [name, report]);
  }
}
