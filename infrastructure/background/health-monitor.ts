import type { DatabaseHealth } from '../../application/ports/databases/organization-databases.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

export interface HealthMonitorDeps {
  /** Of the live databases: no dormant one is woken. */
  readonly check: () => Promise<DatabaseHealth>;
  readonly intervalMs: number;
  readonly logger: Logger;
}

/** Logs when a live database stops answering, and when it answers again. */
export class HealthMonitor implements Background {
  readonly #deps: HealthMonitorDeps;
  readonly #looks: Periodic;
  #unhealthy: ReadonlySet<string> = new Set();

  constructor(deps: HealthMonitorDeps) {
    this.#deps = deps;
    this.#looks = new Periodic({
      everyMs: deps.intervalMs,
      work: async () => this.#compare(await deps.check()),
      onFailure: (error) =>
        deps.logger.error({ err: error }, 'the health of the databases could not be checked'),
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

  close(): Promise<void> {
    return this.#looks.close();
  }

  #compare(health: DatabaseHealth): void {
    const { logger } = this.#deps;
    const unhealthy = new Set(Object.keys(health).filter((database) => health[database] === false));
    for (const database of unhealthy) {
      if (!this.#unhealthy.has(database)) logger.error({ database }, 'a database does not answer');
    }
    for (const database of this.#unhealthy) {
      if (health[database] === true) logger.info({ database }, 'a database answers again');
    }
    this.#unhealthy = unhealthy;
  }
}
