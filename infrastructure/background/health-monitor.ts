import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { DatabaseHealth, HealthCheck } from '../../application/ports/databases/health-check.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

export interface HealthMonitorDeps {
  readonly health: HealthCheck;
  readonly intervalMs: number;
  readonly logger: Logger;
}

/** Logs when a live database stops answering, and when it answers again. Wakes no dormant one. */
export class HealthMonitor implements Background {
  readonly #logger: Logger;
  readonly #looks: Periodic;
  #unhealthy: ReadonlySet<string> = new Set();

  constructor({ health, intervalMs, logger }: HealthMonitorDeps) {
    this.#logger = logger;
    this.#looks = new Periodic({
      everyMs: intervalMs,
      work: async () => this.#compare(await health.check()),
      onFailure: (error) => logger.error({ err: error }, 'the health of the databases could not be checked'),
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
    const all = flatten(health);
    const unhealthy = new Set([...all.keys()].filter((name) => all.get(name) === false));
    for (const database of unhealthy) {
      if (!this.#unhealthy.has(database)) this.#logger.error({ database }, 'a database does not answer');
    }
    for (const database of this.#unhealthy) {
      if (all.get(database) === true) this.#logger.info({ database }, 'a database answers again');
    }
    this.#unhealthy = unhealthy;
  }
}

/** Under the names that logs use: `metadata`, `server eu`, `results_acme`. */
const flatten = ({ metadata, servers, organizations }: DatabaseHealth): ReadonlyMap<string, boolean> =>
  new Map([
    ['metadata', metadata],
    ...Object.entries(servers).map(([serverId, isHealthy]) => [`server ${serverId}`, isHealthy] as const),
    ...Object.entries(organizations).map(([id, isHealthy]) => [`results_${id}`, isHealthy] as const),
  ]);
