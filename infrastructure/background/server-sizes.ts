import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

export interface ServerSizesDeps {
  readonly servers: readonly Pick<ResultsServer, 'serverId' | 'isAvailable' | 'sumSizes'>[];
  readonly logger: Logger;
}

/** The server looks at every file of every database: a millisecond each. */
const EVERY_MS = 10 * 60_000;

/** How many bytes the databases on each server take, read now and then. It opens none of them. */
export class ServerSizes implements Background {
  readonly #deps: ServerSizesDeps;
  readonly #looks: Periodic;
  readonly #bytes = new Map<ServerId, number>();

  constructor(deps: ServerSizesDeps) {
    this.#deps = deps;
    this.#looks = new Periodic({
      everyMs: EVERY_MS,
      work: () => this.#look(),
      onFailure: (error) => deps.logger.write('server.sizes_unread', { err: error }),
    });
  }

  /** Without the servers that were not measured yet. */
  get bytes(): ReadonlyMap<ServerId, number> {
    return this.#bytes;
  }

  get report(): RunReport {
    return this.#looks.report;
  }

  start(): void {
    this.#looks.start();
  }

  run(): Promise<void> {
    return this.#looks.run();
  }

  close(): Promise<void> {
    return this.#looks.close();
  }

  /** A server that is away keeps its last size, and holds up no other. */
  async #look(): Promise<void> {
    const { servers } = this.#deps;
    const looks = servers
      .filter(({ isAvailable }) => isAvailable)
      .map(async (server) => this.#bytes.set(server.serverId, await server.sumSizes()));
    const failed = (await Promise.allSettled(looks)).find((look) => look.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
