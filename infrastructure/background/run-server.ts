import type { FleetRun } from '../../application/ports/fleet/fleet-ledger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

export interface RunServerDeps {
  /** The run that this process may work on; null: there is none. */
  readonly find: () => Promise<FleetRun | null>;
  /** Works on it until nothing is left for this process, or the signal ends that. */
  readonly serve: (run: FleetRun, options: { concurrency: number; signal: AbortSignal }) => Promise<void>;
  /** Databases worked on at once on each server. */
  readonly concurrency: number;
  /** How long a stop waits for the databases under way. Default: 2000. */
  readonly farewellMs?: number;
  readonly logger: Logger;
}

const LOOK_EVERY_MS = 5000;
/** What goes on for longer ends with the process, and is begun again elsewhere when its lease has ended. */
const FAREWELL_MS = 2000;

/** Works on fleet runs that operators began over HTTP, beside the requests. Decision 0051. */
export class RunServer implements Background {
  readonly #deps: RunServerDeps;
  readonly #looks: Periodic;
  readonly #closing = new AbortController();
  #serving: Promise<void> | null = null;

  constructor(deps: RunServerDeps) {
    this.#deps = deps;
    this.#looks = new Periodic({
      everyMs: LOOK_EVERY_MS,
      runsAtStart: true,
      work: () => this.#look(),
      onFailure: (error) => deps.logger.write('migration.unknown', { err: error }),
    });
  }

  get report(): RunReport {
    return this.#looks.report;
  }

  start(): void {
    this.#looks.start();
  }

  /** Looks soon; call it after a run was begun. Nothing before `start`. */
  kick(): void {
    this.#looks.kick();
  }

  /** Looks once, and does not wait for what it begins. Never rejects. */
  run(): Promise<void> {
    return this.#looks.run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#looks.close();
    if (this.#serving === null) return;
    let timer: NodeJS.Timeout | undefined;
    const farewell = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#deps.farewellMs ?? FAREWELL_MS).unref();
    });
    await Promise.race([this.#serving, farewell]);
    clearTimeout(timer);
  }

  async #look(): Promise<void> {
    if (this.#serving !== null || this.#closing.signal.aborted) return;
    const { find, serve, concurrency, logger } = this.#deps;
    const run = await find();
    if (run === null || this.#closing.signal.aborted) return;
    logger.write('migration.joined', { run: run.runId });
    this.#serving = serve(run, { concurrency, signal: this.#closing.signal })
      .catch((error: unknown) => logger.write('migration.left', { err: error, run: run.runId }))
      .finally(() => {
        this.#serving = null;
      });
  }
}
