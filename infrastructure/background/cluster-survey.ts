import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { SurveyedServer } from '../postgres/pg-connection.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

/** Something that one URL with several servers leads to. */
export interface SurveyedTarget {
  /** The servers of the URL that answered and take writes. Never rejects. */
  survey(): Promise<readonly SurveyedServer[]>;
}

export interface ClusterSurveyDeps {
  readonly targets: readonly SurveyedTarget[];
  readonly logger: Logger;
}

const EVERY_MS = 5000;

/**
 * Looks at every server of the URLs that name several. Connections stay with the server that they have: without this
 * look a process would not hear that another one was promoted, and would go on writing to the former primary.
 * Decision 0039.
 */
export class ClusterSurvey implements Background {
  readonly #deps: ClusterSurveyDeps;
  readonly #looks: Periodic;
  /** What was said last, so that it is said once. */
  #said = '';

  constructor(deps: ClusterSurveyDeps) {
    this.#deps = deps;
    this.#looks = new Periodic({
      everyMs: EVERY_MS,
      work: () => this.#look(),
      onFailure: (error) => deps.logger.write('server.survey_failed', { err: error }),
    });
  }

  get report(): RunReport {
    return this.#looks.report;
  }

  start(): void {
    this.#looks.start();
  }

  /** Looks once. Never rejects. */
  look(): Promise<void> {
    return this.#looks.run();
  }

  run(): Promise<void> {
    return this.#looks.run();
  }

  close(): Promise<void> {
    return this.#looks.close();
  }

  async #look(): Promise<void> {
    const { targets, logger } = this.#deps;
    const found = await Promise.all(targets.map((target) => target.survey()));
    const torn = found.filter((writers) => writers.length > 1);
    const said = JSON.stringify(torn);
    if (torn.length > 0 && said !== this.#said) logger.write('server.split_brain', { servers: torn.flat() });
    this.#said = said;
  }
}
