import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../../application/ports/runtime/logger.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * An embedded server that is started again, on its port and its data, when it ends by itself (somebody stopped it, the
 * system killed it): whoever uses it notices an outage of some seconds, as of any server that is restarted. A command of
 * another process may have the data meanwhile; then the outage lasts until that one has ended.
 */
export class KeptPostgres {
  readonly #dataDirectory: string;
  readonly #logger: Logger;
  #server: EmbeddedPostgres;
  readonly #stopping = new AbortController();
  readonly #kept: Promise<void>;

  /** @param server just started on that data directory */
  constructor(server: EmbeddedPostgres, dataDirectory: string, logger: Logger) {
    this.#server = server;
    this.#dataDirectory = dataDirectory;
    this.#logger = logger;
    this.#kept = this.#keep();
  }

  /** Stops the server for good. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#server.stop();
    await this.#kept;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      await this.#server.exited;
      if (signal.aborted) return;
      this.#logger.error(
        { log: this.#server.logFile },
        'the embedded database server ended; it is started again',
      );
      try {
        this.#server = await startEmbeddedPostgres({
          dataDirectory: this.#dataDirectory,
          port: Number(new URL(this.#server.url).port),
        });
        if (signal.aborted) return await this.#server.stop();
        this.#logger.info({}, 'the embedded database server runs again');
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        this.#logger.error({ err: error }, 'the embedded database server cannot be started');
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
      // Not at once: what ended it may end it again.
      await sleep(pauseMs, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }
}
