import { isSamePlacement, type Placement } from '../../domain/databases/placement.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { OrganizationPolicy } from '../../domain/organizations/organization-policy.ts';
import type { CircuitBreaker } from '../pools/circuit-breaker.ts';
import type { ConnectionPool } from '../pools/connection-pool.ts';
import type { PoolSize } from '../pools/pool-options.ts';
import type { Closeable } from './leased-registry.ts';

const DEADLINES = ['statementTimeoutMs', 'lockTimeoutMs', 'idleInTransactionTimeoutMs'] as const;

export interface OpenPool {
  readonly pool: ConnectionPool;
  /** Where its connections go. */
  readonly placement: Placement;
}

/** One organization's pool from the moment somebody asks for it: opening, ready, closed. */
export class OrganizationPool implements Closeable {
  /** Rejects when the opening failed, or the pool was closed meanwhile. */
  readonly ready: Promise<OpenPool>;
  /** Resolves when the first request has its answer. */
  readonly served: Promise<void>;
  /** Set when the database turned out to be another, or gone: the next request opens a new pool in place of this one. */
  outdated = false;
  /** Set when the organization's database was made for this pool. */
  provisioned = false;
  #open: OpenPool | null = null;
  #policy: OrganizationPolicy | null = null;
  #closed = false;
  #serve: () => void = () => undefined;

  /** @param open is called at once, and is given what becomes `served` */
  constructor(open: (served: Promise<void>) => Promise<OpenPool>) {
    this.served = new Promise((resolve) => {
      this.#serve = resolve;
    });
    this.ready = this.#begin(() => open(this.served));
    // Requests that wait see the rejection. When none waits it is no reason to stop the process.
    this.ready.catch(() => undefined);
  }

  /** Null while the pool is opening. */
  get open(): OpenPool | null {
    return this.#open;
  }

  /** Its circuit breaker, for a pool that replaces this one and goes to the same database. */
  breakerFor(placement: Placement): CircuitBreaker | undefined {
    const { open } = this;
    return open !== null && isSamePlacement(open.placement, placement) ? open.pool.breaker : undefined;
  }

  /** Lives by the organization's policy from now on. Cheap when that is as before. */
  applyPolicy(policy: OrganizationPolicy, usual: PoolSize): void {
    if (policy === this.#policy || this.#open === null) return;
    const { pool } = this.#open;
    const before = this.#policy;
    this.#policy = policy;
    const max = Math.min(policy.maxConnections ?? Infinity, usual.size + usual.maxOverflow);
    const size = Math.min(usual.size, max);
    pool.resize({ size, maxOverflow: max - size });
    // Deadlines are set at login.
    if (before !== null && DEADLINES.some((deadline) => before[deadline] !== policy[deadline]))
      pool.recycle();
  }

  /** A request has its answer, or was given up. */
  requestEnded(): void {
    this.#serve();
  }

  async close(): Promise<void> {
    this.#closed = true;
    // An opening under way ends first, and closes what it has opened: nothing comes back to life afterwards.
    await this.ready.catch(() => undefined);
    await this.#open?.pool.close();
  }

  async #begin(begin: () => Promise<OpenPool>): Promise<OpenPool> {
    const open = await begin();
    if (this.#closed) {
      await open.pool.close();
      throw new DatabaseConnectionError('The service is closing this pool.');
    }
    this.#open = open;
    return open;
  }
}
