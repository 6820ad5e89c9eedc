import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../../application/ports/runtime/logger.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Restarts an embedded server on the same port and data when it ends unexpectedly, for example by a signal. Its
 * clients see an outage of some seconds. If a command of another process takes the data directory first, the outage
 * lasts until that command ends. Failed restarts are repeated after 1 s to 30 s.
 */
export class RestartingPostgres {
  readonly #dataDirectory: string;
  readonly #logger: Logger;
  #server: EmbeddedPostgres;
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;

  /** @param server runs on that data directory */
  constructor(server: EmbeddedPostgres, dataDirectory: string, logger: Logger) {
    this.#server = server;
    this.#dataDirectory = dataDirectory;
    this.#logger = logger;
    this.#loop = this.#restartUntilStopped();
  }

  /** Stops the server for good. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#server.stop();
    await this.#loop;
  }

  async #restartUntilStopped(): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      await this.#server.exited;
      if (signal.aborted) return;
      this.#logger.write('embedded_server.ended', { log: this.#server.logFile });
      try {
        this.#server = await startEmbeddedPostgres({
          dataDirectory: this.#dataDirectory,
          port: Number(new URL(this.#server.url).port),
        });
        if (signal.aborted) return await this.#server.stop();
        this.#logger.write('embedded_server.restarted', {});
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        this.#logger.write('embedded_server.restart_failed', { err: error });
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
      // Pause also after a success: the same cause may end the server again.
      await sleep(pauseMs, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }
}
