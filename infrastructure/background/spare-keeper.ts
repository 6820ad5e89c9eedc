import type { DatabaseServer } from '../../application/ports/databases/database-server.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { mergeReports, Periodic, type RunReport } from '../timing/periodic.ts';
import type { Background } from './background-runner.ts';

export interface SpareKeeperDeps {
  readonly servers: readonly DatabaseServer[];
  /** Builds what is missing on a server and drops what no organization will claim. */
  readonly refill: (server: DatabaseServer, signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
}

/** Also a process's sign of life for its templates: far more often than templates count as unused. */
const TICK_MS = 15_000;

/** How soon a server that was away is tried again: new organizations wait for its template. */
const RETRY_MS = 2000;

/** The organization that claimed a spare connects to it next: a clone at that moment would double the time of its answer. */
const PAUSE_AFTER_CLAIM_MS = 250;

/** Keeps databases ready for organizations that are yet to come, on each server. A server that is away holds up no other. */
export class SpareKeeper implements Background {
  readonly #deps: SpareKeeperDeps;
  readonly #loops: ReadonlyMap<ServerId, Periodic>;
  /** Ends a refill after the database that is being built. */
  readonly #closing = new AbortController();

  constructor(deps: SpareKeeperDeps) {
    this.#deps = deps;
    this.#loops = new Map(deps.servers.map((server) => [server.serverId, this.#loopOn(server)]));
  }

  #loopOn(server: DatabaseServer): Periodic {
    const { refill, logger } = this.#deps;
    let isAway = false;
    const loop = new Periodic({
      everyMs: TICK_MS,
      runsAtStart: true,
      work: async () => {
        // It is tried again when its back-off is over.
        if (server.refusal !== null) return;
        await refill(server, this.#closing.signal);
        isAway = false;
      },
      onFailure: (error) => {
        // One line for each time that the server goes away, or begins to refuse.
        if (!isAway) logger.write('spare.refill_failed', { err: error, server: server.serverId });
        isAway = !server.isAvailable || server.refusal !== null;
        if (!server.isAvailable) loop.kick(RETRY_MS);
      },
    });
    return loop;
  }

  get report(): RunReport {
    return mergeReports([...this.#loops.values()].map(({ report }) => report));
  }

  async run(): Promise<void> {
    await Promise.all([...this.#loops.values()].map((loop) => loop.run()));
  }

  start(): void {
    for (const loop of this.#loops.values()) loop.start();
  }

  /** Looks soon whether spares are missing; call it after a claim. Never rejects, never waits. Nothing before `start`. */
  kick(serverId: ServerId): void {
    this.#loops.get(serverId)?.kick(PAUSE_AFTER_CLAIM_MS);
  }

  /** Refills every server once, whether it was started or not. Rejects when one of them fails. */
  async refill(): Promise<void> {
    const { servers, refill } = this.#deps;
    await Promise.all(servers.map((server) => refill(server, this.#closing.signal)));
  }

  /** Waits for the databases being built, if any. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#loops.values()].map((loop) => loop.close()));
  }
}
