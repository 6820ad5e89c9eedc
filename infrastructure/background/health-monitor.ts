import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { DatabaseHealth, HealthCheck } from '../../application/ports/databases/health-check.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

export interface HealthMonitorDeps {
  readonly health: HealthCheck;
  readonly intervalMs: number;
  readonly logger: Logger;
}

/** Logs when live databases stop answering, and when they answer again. Wakes no dormant one. */
export class HealthMonitor implements Background {
  readonly #logger: Logger;
  readonly #looks: Periodic;
  #unhealthy: ReadonlySet<string> = new Set();

  constructor({ health, intervalMs, logger }: HealthMonitorDeps) {
    this.#logger = logger;
    this.#looks = new Periodic({
      everyMs: intervalMs,
      work: async () => this.#compare(await health.check()),
      onFailure: (error) => logger.write('health.check_failed', { err: error }),
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

  /** One line for all that fell ill since the last look, and one for all that recovered. */
  #compare(health: DatabaseHealth): void {
    const all = flatten(health);
    const unhealthy = new Set([...all.keys()].filter((name) => all.get(name) === false));
    const fallen = [...unhealthy].filter((name) => !this.#unhealthy.has(name));
    const recovered = [...this.#unhealthy].filter((name) => all.get(name) === true);
    if (fallen.length > 0) this.#logger.write('health.down', named(fallen));
    if (recovered.length > 0) this.#logger.write('health.up', named(recovered));
    this.#unhealthy = unhealthy;
  }
}

const MAX_NAMED = 10;

/** The metadata database and servers come first: their organizations may be thousands. */
const named = (
  names: readonly string[],
): { readonly databases: readonly string[]; readonly count: number } => ({
  databases: names.slice(0, MAX_NAMED),
  count: names.length,
});

/** Under the names that logs use: `metadata`, `server eu`, `results_acme`. */
const flatten = ({ metadata, servers, organizations }: DatabaseHealth): ReadonlyMap<string, boolean> =>
  new Map([
    ['metadata', metadata],
    ...Object.entries(servers).map(([serverId, isHealthy]) => [`server ${serverId}`, isHealthy] as const),
    ...Object.entries(organizations).map(([id, isHealthy]) => [`results_${id}`, isHealthy] as const),
  ]);
