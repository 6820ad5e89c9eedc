import type { Logger } from '../../application/ports/logger.ts';
import type { DatabaseHealth } from '../../application/ports/organization-databases.ts';

/** Looks at the live databases now and then, and says when one falls ill or recovers. Wakes no dormant one. */
export class HealthMonitor {
  readonly #check: () => Promise<DatabaseHealth>;
  readonly #intervalMs: number;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #unhealthy: ReadonlySet<string> = new Set();

  constructor(check: () => Promise<DatabaseHealth>, intervalMs: number, logger: Logger) {
    this.#check = check;
    this.#intervalMs = intervalMs;
    this.#logger = logger;
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      // One look after the other, however long each takes.
      this.#looking = this.#looking.then(() => this.look());
    }, this.#intervalMs).unref();
  }

  /** Never rejects. */
  async look(): Promise<void> {
    try {
      this.#compare(await this.#check());
    } catch (error) {
      this.#logger.error({ err: error }, 'the health of the databases could not be checked');
    }
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#looking;
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
