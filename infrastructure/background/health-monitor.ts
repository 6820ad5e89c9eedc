import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { DatabaseHealth, HealthCheck } from '../../application/ports/databases/health-check.ts';
import { Periodic } from '../timing/periodic.ts';

/** Looks at the live databases now and then, and says when one falls ill or recovers. Wakes no dormant one. */
export class HealthMonitor {
  readonly #health: HealthCheck;
  readonly #looks: Periodic;
  readonly #logger: Logger;
  #unhealthy: ReadonlySet<string> = new Set();

  constructor(health: HealthCheck, intervalMs: number, logger: Logger) {
    this.#health = health;
    this.#looks = new Periodic(intervalMs, () => this.look());
    this.#logger = logger;
  }

  start(): void {
    this.#looks.start();
  }

  /** Never rejects. */
  async look(): Promise<void> {
    try {
      this.#compare(await this.#health.check());
    } catch (error) {
      this.#logger.error({ err: error }, 'the health of the databases could not be checked');
    }
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
