import type { RefillSpares } from '../../application/databases/refill-spares.ts';
import type { DatabaseServer } from '../../application/ports/databases/database-server.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { ServerId } from '../../domain/databases/server.ts';

export interface SpareKeeperDeps {
  readonly servers: readonly DatabaseServer[];
  readonly refill: RefillSpares;
  readonly logger: Logger;
}

/** Also a process's sign of life for its templates: far more often than templates count as unused. */
const TICK_MS = 15_000;

/** The organization that claimed a spare connects to it next: a clone at that moment would double the time of its answer. */
const PAUSE_AFTER_CLAIM_MS = 250;

/** Keeps databases ready for organizations that are yet to come, on each server. A server that is away holds up no other. */
export class SpareKeeper {
  readonly #loops: ReadonlyMap<ServerId, RefillLoop>;

  constructor({ servers, refill, logger }: SpareKeeperDeps) {
    this.#loops = new Map(
      servers.map((server) => [
        server.serverId,
        new RefillLoop(
          (signal) => refill(server, signal),
          (error) => logger.warn({ err: error, server: server.serverId }, 'spares could not be refilled'),
        ),
      ]),
    );
  }

  start(): void {
    for (const loop of this.#loops.values()) loop.start();
  }

  /** Looks soon whether spares are missing; call it after a claim. Never rejects, never waits. Nothing before `start`. */
  kick(serverId: ServerId): void {
    this.#loops.get(serverId)?.kick();
  }

  /** Builds what is missing on every server and drops what nobody will claim, unless another process does. */
  async refill(): Promise<void> {
    await Promise.all([...this.#loops.values()].map((loop) => loop.refill()));
  }

  /** Waits for the databases being built, if any. */
  async close(): Promise<void> {
    await Promise.all([...this.#loops.values()].map((loop) => loop.close()));
  }
}

class RefillLoop {
  readonly #refill: (signal: AbortSignal) => Promise<void>;
  readonly #failed: (error: unknown) => void;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | null = null;
  #pause: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #again = false;

  constructor(refill: (signal: AbortSignal) => Promise<void>, failed: (error: unknown) => void) {
    this.#refill = refill;
    this.#failed = failed;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), TICK_MS).unref();
    this.#look();
  }

  kick(): void {
    if (this.#closing.signal.aborted || this.#timer === null) return;
    this.#pause ??= setTimeout(() => {
      this.#pause = null;
      this.#look();
    }, PAUSE_AFTER_CLAIM_MS).unref();
  }

  refill(): Promise<void> {
    return this.#refill(this.#closing.signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#pause !== null) clearTimeout(this.#pause);
    await this.#running;
  }

  #look(): void {
    if (this.#closing.signal.aborted) return;
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    this.#running = this.refill()
      .catch(this.#failed)
      .finally(() => {
        this.#running = null;
        if (!this.#again) return;
        this.#again = false;
        this.#look();
      });
  }
}
