import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { DatabaseHealth } from '../../application/ports/databases/organization-databases.ts';
import { Periodic } from '../timing/periodic.ts';

/** Looks at the live databases now and then, and says when one falls ill or recovers. Wakes no dormant one. */
export class HealthMonitor {
  readonly #check: () => Promise<DatabaseHealth>;
  readonly #looks: Periodic;
  readonly #logger: Logger;
  #unhealthy: ReadonlySet<string> = new Set();

  constructor(check: () => Promise<DatabaseHealth>, intervalMs: number, logger: Logger) {
    this.#check = check;
    this.#looks = new Periodic(intervalMs, () => this.look());
    this.#logger = logger;
  }

  start(): void {
    this.#looks.start();
  }

  /** Never rejects. */
  async look(): Promise<void> {
    try {
      this.#compare(await this.#check());
    } catch (error) {
      this.#logger.error({ err: error }, 'the health of the databases could not be checked');
    }
  }

  close(): Promise<void> {
    return this.#looks.close();
  }

  #compare(health: DatabaseHealth): void {
    const unhealthy = new Set(Object.keys(health).filter((database) => health[database] === false));
    for (const database of unhealthy) {
      if (!this.#unhealthy.has(database)) this.#logger.error({ database }, 'a database does not answer');
    }
    for (const database of this.#unhealthy) {
      if (health[database] === true) this.#logger.info({ database }, 'a database answers again');
    }
    this.#unhealthy = unhealthy;
  }
}
