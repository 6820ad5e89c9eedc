import type { Logger } from '../../application/ports/runtime/logger.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

/** The streams of operators in this process. */
interface Streams {
  look(): Promise<void>;
  /** Ends them all. */
  close(): void;
}

export interface OperatorStreamLoopDeps {
  readonly streams: Streams;
  readonly logger: Logger;
}

/** Just longer than an overview is kept. */
const EVERY_MS = 2100;

/** Has the streams of operators look for news. Without any stream a look does nothing. */
export class OperatorStreamLoop implements Background {
  readonly #streams: Streams;
  readonly #looks: Periodic;

  constructor({ streams, logger }: OperatorStreamLoopDeps) {
    this.#streams = streams;
    this.#looks = new Periodic({
      everyMs: EVERY_MS,
      work: () => streams.look(),
      onFailure: (error) => logger.write('operator_stream.read_failed', { err: error }),
    });
  }

  get report(): RunReport {
    return this.#looks.report;
  }

  run(): Promise<void> {
    return this.#looks.run();
  }

  start(): void {
    this.#looks.start();
  }

  async close(): Promise<void> {
    this.#streams.close();
    await this.#looks.close();
  }
}
