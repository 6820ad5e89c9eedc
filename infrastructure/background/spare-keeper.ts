import type { RefillSpares } from '../../application/databases/refill-spares.ts';
import type { DatabaseServer } from '../../application/ports/databases/database-server.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { Periodic } from '../timing/periodic.ts';

export interface SpareKeeperDeps {
  readonly servers: readonly DatabaseServer[];
  readonly refill: RefillSpares;
  readonly logger: Logger;
}

/** Also a process's sign of life for its templates: far more often than templates count as unused. */
const TICK_MS = 15_000;

/** The organization that claimed a spare connects to it next: a clone at that moment would double the time of its answer. */
const PAUSE_AFTER_CLAIM_MS = 250;

/** Keeps databases ready for organizations that are yet to come. Each server has a loop: one that is away delays no other. */
export class SpareKeeper {
  readonly #deps: SpareKeeperDeps;
  readonly loops: ReadonlyMap<ServerId, Periodic>;

  constructor(deps: SpareKeeperDeps) {
    this.#deps = deps;
    this.loops = new Map(
      deps.servers.map((server) => [
        server.serverId,
        new Periodic({
          everyMs: TICK_MS,
          runsAtStart: true,
          work: () => this.#refill(server),
          onFailure: (error) =>
            deps.logger.warn({ err: error, server: server.serverId }, 'spares could not be refilled'),
        }),
      ]),
    );
  }

  /** Looks soon whether the server is short of spares; call it after a claim. Never waits. Nothing before the start. */
  kick(serverId: ServerId): void {
    this.loops.get(serverId)?.kick(PAUSE_AFTER_CLAIM_MS);
  }

  /** Builds what is missing on every server and drops what no organization will claim, unless another process does. */
  async refill(): Promise<void> {
    await Promise.all(this.#deps.servers.map((server) => this.#refill(server)));
  }

  /** A close ends it after the database that is being built. */
  #refill(server: DatabaseServer): Promise<void> {
    return this.#deps.refill(server, () => this.loops.get(server.serverId)?.isClosed === true);
  }
}
