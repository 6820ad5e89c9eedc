import { relative } from 'node:path';
import Mocha from 'mocha';

const SLOWEST = 10;

const { EVENT_HOOK_END, EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_END, EVENT_TEST_FAIL } =
  Mocha.Runner.constants;

/** Mocha's own reporter, then the slowest files with their hooks, the files that failed, and one plain line. */
export default class Reporter extends Mocha.reporters.Spec {
  readonly #durations = new Map<string, number>();
  readonly #failed = new Set<string>();
  #depth = 0;
  /** Of the outermost suite that runs. Hooks do not know their file. */
  #file = '';
  #durationMs = 0;

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.on(EVENT_SUITE_BEGIN, ({ root }) => {
      if (!root) this.#depth += 1;
    });
    runner.on(EVENT_SUITE_END, ({ root }) => {
      if (root) return;
      this.#depth -= 1;
      if (this.#depth === 0) this.#count();
    });
    runner.on(EVENT_HOOK_END, ({ duration }) => {
      this.#durationMs += duration ?? 0;
    });
    runner.on(EVENT_TEST_END, ({ duration, file }) => {
      this.#durationMs += duration ?? 0;
      this.#file = file ?? '';
    });
    // Of a file that cannot be loaded, or whose process died, there is no test: mocha puts its name on the error.
    runner.on(EVENT_TEST_FAIL, ({ file }, error: Error & { readonly file?: string }) => {
      this.#failed.add(relative('.', error.file ?? file ?? this.#file));
    });
    runner.once(EVENT_RUN_END, () => this.#conclude());
  }

  #count(): void {
    const file = relative('.', this.#file);
    if (file !== '') this.#durations.set(file, (this.#durations.get(file) ?? 0) + this.#durationMs);
    this.#durationMs = 0;
    this.#file = '';
  }

  #conclude(): void {
    const slowest = [...this.#durations].toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST);
    const lines = slowest.map(([file, ms]) => `  ${(ms / 1000).toFixed(1).padStart(6)} s  ${file}`);
    const { passes, failures, pending } = this.stats;
    const skipped = pending > 0 ? `, ${pending} skipped` : '';
    Mocha.reporters.Base.consoleLog(`The slowest files:\n${lines.join('\n')}\n`);
    if (failures > 0) Mocha.reporters.Base.consoleLog(`Failed:\n  ${[...this.#failed].join('\n  ')}\n`);
    Mocha.reporters.Base.consoleLog(`${passes} passed, ${failures} failed${skipped}`);
  }
}
