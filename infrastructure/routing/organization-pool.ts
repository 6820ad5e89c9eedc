import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { OrganizationPolicy } from '../../domain/organizations/organization-policy.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import type { CircuitBreaker } from '../pools/circuit-breaker.ts';
import type { ConnectionPool } from '../pools/connection-pool.ts';
import type { Closeable } from './leased-registry.ts';
import type { PoolSize } from '../pools/pool-options.ts';

const DEADLINES = ['statementTimeoutMs', 'lockTimeoutMs', 'idleInTransactionTimeoutMs'] as const;

/** One organization's pool from the moment somebody asks for it: opening, ready, closed. */
export class OrganizationPool implements Closeable {
  /** Rejects when the opening failed, or the pool was closed meanwhile. */
  readonly ready: Promise<ConnectionPool>;
  /** Set when the database turned out to be another, or gone: the next request opens a new pool in place of this one. */
  outdated = false;
  /** Where its connections go; null while nobody has said. */
  placement: Placement | null = null;
  #pool: ConnectionPool | null = null;
  #policy: OrganizationPolicy | null = null;
  #closed = false;

  constructor(open: () => Promise<ConnectionPool>) {
    this.ready = this.#open(open);
    // Those who wait see the rejection; when nobody waits any more it is no reason to stop the process.
    this.ready.catch(() => undefined);
  }

  /** Null while the pool is opening. */
  get pool(): ConnectionPool | null {
    return this.#pool;
  }

  /** Its circuit breaker, for a pool that replaces this one and goes to the same database. */
  breakerFor({ databaseName, stamp, generation }: Placement): CircuitBreaker | undefined {
    const same =
      this.placement?.databaseName === databaseName &&
      this.placement.stamp === stamp &&
      this.placement.generation === generation;
    return same ? this.#pool?.breaker : undefined;
  }

  /** Lives by the organization's policy from now on. Cheap when that is as before. */
  adopt(policy: OrganizationPolicy, usual: PoolSize): void {
    if (policy === this.#policy || this.#pool === null) return;
    const before = this.#policy;
    this.#policy = policy;
    const max = Math.min(policy.maxConnections ?? Infinity, usual.size + usual.maxOverflow);
    const size = Math.min(usual.size, max);
    this.#pool.resize({ size, maxOverflow: max - size });
    // Deadlines are set at login.
    if (before !== null && DEADLINES.some((deadline) => before[deadline] !== policy[deadline]))
      this.#pool.recycle();
  }

  async close(): Promise<void> {
    this.#closed = true;
    // An opening under way ends first, and closes what it has opened: nothing comes back to life afterwards.
    await this.ready.catch(() => undefined);
    await this.#pool?.close();
  }

  async #open(open: () => Promise<ConnectionPool>): Promise<ConnectionPool> {
    const pool = await open();
    if (this.#closed) {
      await pool.close();
      throw new DatabaseConnectionError('The service is closing this pool.');
    }
    this.#pool = pool;
    return pool;
  }
}
