import { DatabaseConnectionError, DomainError } from '../../domain/exceptions.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import type { PoolCircuits } from './pool-circuits.ts';
import type { PoolOptions } from './pool-options.ts';
import type { SlotCounts } from './slot-counts.ts';
import type { WaitQueue } from './wait-queue.ts';
import type { WorkScope } from './work-scope.ts';

/** A request waits no longer for a server that is being tried again. The try goes on, for the next request. */
const MAX_WAIT_FOR_RETRY_MS = 50;

export interface WaitPolicyDeps {
  readonly options: PoolOptions;
  readonly queue: WaitQueue;
  readonly circuits: PoolCircuits;
  readonly slots: SlotCounts;
  /** The most connections that the pool may have now. */
  readonly max: () => number;
}

/** Which requests wait for a connection of a pool, for how long, and what they are told when they do not get one. */
export class WaitPolicy {
  readonly #deps: WaitPolicyDeps;

  constructor(deps: WaitPolicyDeps) {
    this.#deps = deps;
  }

  /** The longest wait of a request that comes now. */
  get patienceMs(): number {
    const { options, circuits } = this.#deps;
    const { acquireTimeoutMs } = options;
    return circuits.server.state === 'closed'
      ? acquireTimeoutMs
      : Math.min(acquireTimeoutMs, MAX_WAIT_FOR_RETRY_MS);
  }

  /** Puts a request into the queue. Rejects at once when it makes no sense to begin to wait. */
  join(timeoutMs: number, scope: WorkScope | undefined): Promise<PgConnection> {
    const refusal = this.#refusal();
    if (refusal !== null) return Promise.reject(refusal);
    return this.#deps.queue.join(timeoutMs, () => this.#tooLate(), scope);
  }

  /** Refuses those that wait in vain: the one that waits longest hears why, and the others too if no hope is left. */
  refuseFor(error: unknown): void {
    const { queue, circuits, slots } = this.#deps;
    queue.rejectFirst(error instanceof DomainError ? error : this.unavailable(error));
    if (slots.connected === 0 && circuits.tripped !== undefined)
      queue.rejectAll(this.unavailable(error, circuits.tripped.retryInMs));
  }

  /**
   * Refuses those that wait for a server that has gone meanwhile, as another pool or the probe has found out. Where a
   * connection is open, it may still come back to them.
   */
  refuseWhenServerIsGone(): void {
    const { queue, circuits, slots } = this.#deps;
    const { server } = circuits;
    if (queue.size > 0 && server.state === 'open' && slots.connected === 0)
      queue.rejectAll(this.unavailable(undefined, server.retryInMs));
  }

  unavailable(cause: unknown, retryAfterMs: number | null = null): Error {
    const { databaseName } = this.#deps.options;
    return new DatabaseConnectionError(
      `The database "${databaseName}" cannot be used now.`,
      cause,
      retryAfterMs,
    );
  }

  closed(): Error {
    return new DatabaseConnectionError(`The pool of "${this.#deps.options.databaseName}" is closed.`);
  }

  #refusal(): Error | null {
    const { options, queue, circuits, slots } = this.#deps;
    const { server, tripped } = circuits;
    if (server.state === 'open') return this.unavailable(undefined, server.retryInMs);
    // Only the request that begins the single try waits for its outcome.
    if (tripped !== undefined && !circuits.allow && slots.connected === 0)
      return this.unavailable(undefined, tripped.retryInMs);
    if (queue.size < options.maxWaiting) return null;
    return options.noPlaceError('pool', queue.clearsInMs(this.#deps.max()));
  }

  /** Why a request has waited in vain until its deadline. */
  #tooLate(): Error {
    const { options, queue, circuits, slots } = this.#deps;
    if (slots.connecting > 0) return this.unavailable(new Error('connecting took too long'));
    if (circuits.tripped !== undefined) return this.unavailable(undefined, circuits.tripped.retryInMs);
    const limit = slots.held >= this.#deps.max() || slots.idle > 0 ? 'pool' : 'budget';
    return options.noPlaceError(limit, queue.clearsInMs(slots.held));
  }
}
