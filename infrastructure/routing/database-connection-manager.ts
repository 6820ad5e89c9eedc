import type { Logger } from '../../application/ports/runtime/logger.ts';
import type {
  DatabaseHealth,
  OrganizationDatabases,
  PoolSnapshot,
  ResultsLease,
} from '../../application/ports/databases/organization-databases.ts';
import type { OrganizationPolicies } from '../../application/ports/runtime/organization-policies.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import {
  ConnectionBudgetExhaustedError,
  DatabaseConnectionError,
  OrganizationBusyError,
} from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { OrganizationPolicy } from '../../domain/organizations/organization-policy.ts';
import type { SchemaGuard } from './schema-guard.ts';
import type { Placement } from '../../domain/databases/placement.ts';
import type { Provisioner } from '../provisioning/provisioner.ts';
import type { CircuitBreaker } from '../pools/circuit-breaker.ts';
import type { ConnectionBudget } from '../pools/connection-budget.ts';
import { ConnectionPool } from '../pools/connection-pool.ts';
import { MisplacedDatabaseError } from '../servers/connector.ts';
import { EventLoopLoad } from '../timing/event-loop-load.ts';
import { LeasedRegistry, type RemovalReason } from './leased-registry.ts';
import type { ConnectionShare } from '../servers/connection-share.ts';
import { openEarly } from './open-early.ts';
import { OrganizationPool } from './organization-pool.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import type { PoolSize } from '../pools/pool-options.ts';
import { PooledDatabase } from '../pools/pooled-database.ts';
import { sqlStateOf } from '../postgres/postgres-errors.ts';
import type { ControlConnection } from '../servers/control-connection.ts';
import { WorkScope } from '../pools/work-scope.ts';

export interface ManagerOptions {
  readonly autoCreate: boolean;
  readonly organizationPool: PoolSize;
  readonly acquireTimeoutMs: number;
  /** Requests of one organization that may wait for a connection. */
  readonly maxWaiting: number;
  readonly idleTimeoutMs: number;
  readonly leaseTimeoutMs: number;
  readonly maxPools: number;
  /** How long running requests may keep their pools at a stop. */
  readonly drainTimeoutMs: number;
}

export interface ManagerDeps {
  readonly metadataPool: ConnectionPool;
  /** The administrator's sessions, through which databases are made. */
  readonly adminPool: ConnectionPool;
  readonly provisioner: Pick<Provisioner, 'ensure' | 'confirm'>;
  readonly budget: ConnectionBudget;
  /** Opens a connection that has proved to be in this database. */
  readonly connect: (
    placement: Placement,
    policy: OrganizationPolicy,
    arrived?: Promise<boolean>,
  ) => Promise<PgConnection>;
  readonly policies: Pick<OrganizationPolicies, 'policyOf'>;
  /** SerialQueue organizations away whose schema left the release's window, also on pools that are open. */
  readonly schemaGuard: Pick<SchemaGuard, 'check'>;
  /** Called once per lease: the handle ends with it. */
  readonly buildResultsDatabase: (
    database: PooledDatabase,
    organizationId: OrganizationId,
  ) => ResultsDatabase;
  readonly metadataControl: ControlConnection;
  readonly resultsControl: ControlConnection;
  /** Of the server of the results databases. */
  readonly serverBreaker: CircuitBreaker;
  readonly share: ConnectionShare;
  readonly logger: Logger;
}

export interface ManagerCounts {
  /** Live pools of organizations. */
  readonly pools: number;
  /** Pools taken out of service whose last request has not ended. */
  readonly draining: number;
  readonly leases: number;
  /** Connections to results databases: open, being opened or being closed. */
  readonly connections: number;
  /** This process's share of the deployment's budget. */
  readonly budget: number;
  /** Organizations that wait for a connection, as the budget is spent. */
  readonly queued: number;
  /** Pools taken out of service since the start. */
  readonly removals: Readonly<Record<RemovalReason, number>>;
  /** Leases that outlived their deadline since the start. */
  readonly leaks: number;
  /** Connections that were in another database than the one on record, or refused by it, since the start. */
  readonly misplaced: number;
}

/** The key of an organization's database in health reports, as clients of `/ready` know it. */
const healthKey = (organizationId: string): string => `results_${organizationId}`;

const SWEEPS_PER_IDLE_TIMEOUT = 4;

/**
 * The way from an organization to its database. One for the whole process: opens pools at first use, lends them to
 * requests, closes what lies idle, and knows how they are.
 */
export class DatabaseConnectionManager implements OrganizationDatabases {
  readonly metadata: ConnectionPool;
  readonly #options: ManagerOptions;
  readonly #deps: ManagerDeps;
  readonly #pools: LeasedRegistry<OrganizationPool>;
  readonly #load = new EventLoopLoad();
  readonly #sweeper: NodeJS.Timeout;
  readonly #removals: Record<RemovalReason, number> = { evict: 0, expire: 0, invalidate: 0, retire: 0 };
  #leaks = 0;
  #misplaced = 0;
  #closing: Promise<void> | null = null;
  #health: Promise<DatabaseHealth> | null = null;

  constructor(options: ManagerOptions, deps: ManagerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.metadata = deps.metadataPool;
    this.#pools = new LeasedRegistry({
      capacity: options.maxPools,
      leaseTimeoutMs: options.leaseTimeoutMs,
      onRemoval: (organizationId, reason) => {
        deps.logger.debug({ org_id: organizationId, reason }, 'pool removed');
        this.#removals[reason] += 1;
      },
      onLeak: (organizationId, heldMs) => {
        deps.logger.error(
          { org_id: organizationId, held_ms: Math.round(heldMs) },
          'a lease was never released',
        );
        this.#leaks += 1;
      },
    });
    this.#sweeper = setInterval(() => this.sweep(), options.idleTimeoutMs / SWEEPS_PER_IDLE_TIMEOUT).unref();
  }

  async acquire(organizationId: OrganizationId): Promise<ResultsLease> {
    if (this.#closing !== null) throw new DatabaseConnectionError('The service is stopping.');
    this.#deps.schemaGuard.check(organizationId);
    const known = this.#pools.peek(organizationId);
    if (known?.outdated === true) this.#pools.remove(organizationId, known, 'invalidate');
    // Claimed before anything is awaited: from here on nobody closes this pool.
    const lease = this.#pools.checkout(organizationId, () => this.#newPool(organizationId, known));
    try {
      const pool = await lease.value.ready;
      lease.value.adopt(this.#deps.policies.policyOf(organizationId), this.#options.organizationPool);
      const scope = new WorkScope();
      return {
        database: this.#deps.buildResultsDatabase(new PooledDatabase(pool, scope), organizationId),
        release: () => {
          scope.end();
          lease.release();
        },
      };
    } catch (error) {
      this.#pools.remove(organizationId, lease.value, 'invalidate');
      lease.release();
      throw error;
    }
  }

  async provision(organizationId: OrganizationId): Promise<void> {
    await this.#deps.provisioner.confirm(organizationId);
  }

  peek(organizationId: OrganizationId): PoolSnapshot | null {
    return this.#pools.peek(organizationId)?.pool?.snapshot() ?? null;
  }

  /** Whoever asks while the databases are being asked gets the same answer: nobody queues. */
  healthCheck(): Promise<DatabaseHealth> {
    this.#health ??= this.#checkHealth().finally(() => {
      this.#health = null;
    });
    return this.#health;
  }

  async #checkHealth(): Promise<DatabaseHealth> {
    const [metadata, organizations] = await Promise.all([
      this.#deps.metadataControl.ask({ text: 'select', values: [] }),
      this.#checkOrganizations(),
    ]);
    return { metadata: metadata !== null, ...organizations };
  }

  /** What all pools hold together, and what became of earlier ones; constant time. */
  counts(): ManagerCounts {
    const { active, draining, leases } = this.#pools.counts;
    return {
      pools: active,
      draining,
      leases,
      connections: this.#deps.budget.taken,
      budget: this.#deps.budget.limit,
      queued: this.#deps.budget.queued,
      removals: this.#removals,
      leaks: this.#leaks,
      misplaced: this.#misplaced,
    };
  }

  /** Closes what lay idle for too long, and reports leaks. Runs by itself. */
  sweep(): void {
    const { idleTimeoutMs } = this.#options;
    const before = performance.now() - idleTimeoutMs;
    this.metadata.closeIdleSince(before);
    this.#deps.adminPool.closeIdleSince(before);
    for (const [, { pool }] of this.#pools.entries()) pool?.closeIdleSince(before);
    this.#pools.sweep(({ pool }, idleMs) => idleMs > idleTimeoutMs && pool?.slots.held === 0);
  }

  /** Lets running requests end, closes every pool, the metadata pool last. Safe to call twice. */
  closeAll(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#pools.closeAll(this.#options.drainTimeoutMs);
    const { adminPool, resultsControl, metadataControl, share } = this.#deps;
    await share.close();
    await Promise.all([adminPool.close(), resultsControl.close(), metadataControl.close()]);
    await this.metadata.close();
  }

  /** @param previous the pool that it replaces, if any: what is still broken is not tried more often for that. */
  #newPool(organizationId: OrganizationId, previous: OrganizationPool | undefined): OrganizationPool {
    const { provisioner } = this.#deps;
    const entry: OrganizationPool = new OrganizationPool(() =>
      openEarly(
        async (announce) => {
          const placement = await provisioner.ensure(organizationId, this.#options.autoCreate, announce);
          entry.placement = placement;
          return placement;
        },
        (placement, arrived) =>
          this.#openPool(placement, previous?.breakerFor(placement), arrived, () => {
            // A login that was begun too early says nothing of where the database will be.
            entry.outdated = entry.pool !== null;
          }),
      ),
    );
    return entry;
  }

  #openPool(
    placement: Placement,
    breaker: CircuitBreaker | undefined,
    arrived: Promise<boolean> | undefined,
    invalidate: () => void,
  ): ConnectionPool {
    const { budget, connect, policies, serverBreaker } = this.#deps;
    return new ConnectionPool({
      databaseName: placement.databaseName,
      connect: async () => {
        try {
          return await connect(placement, policies.policyOf(placement.organizationId), arrived);
        } catch (error) {
          if (error instanceof MisplacedDatabaseError) this.#misplaced += 1;
          // Moved, re-made or gone: the next request asks the ledger again.
          if (isMisplaced(error)) invalidate();
          throw error;
        }
      },
      ...this.#options.organizationPool,
      acquireTimeoutMs: this.#options.acquireTimeoutMs,
      maxWaiting: this.#options.maxWaiting,
      noPlaceError: (limit, retryAfterMs) =>
        limit === 'pool'
          ? new OrganizationBusyError(retryAfterMs)
          : new ConnectionBudgetExhaustedError(retryAfterMs),
      budget,
      serverBreaker,
      isSaturated: () => this.#load.isSaturated,
      breaker,
    });
  }

  /** One question for all live pools; only a pool whose last connect failed is tried itself. */
  async #checkOrganizations(): Promise<DatabaseHealth> {
    const pools: [string, ConnectionPool][] = [];
    for (const [organizationId, { pool }] of this.#pools.entries()) {
      if (pool !== null) pools.push([organizationId, pool]);
    }
    if (pools.length === 0) return {};
    const rows = await this.#deps.resultsControl.ask<{ datname: string }>({
      text: 'select datname from pg_database where datallowconn and datconnlimit <> 0 and datname = any($1)',
      values: [pools.map(([, pool]) => pool.databaseName)],
    });
    const present = new Set(rows?.map(({ datname }) => datname));
    const checks = pools.map(async ([organizationId, pool]): Promise<[string, boolean]> => [
      healthKey(organizationId),
      present.has(pool.databaseName) && (await pool.recovers()),
    ]);
    return Object.fromEntries(await Promise.all(checks));
  }
}

/** Where organizations have roles, a refused login is the first sign that the database was made again. */
const isMisplaced = (error: unknown): boolean =>
  error instanceof MisplacedDatabaseError || /^(?:3D000|28...|42501)$/.test(sqlStateOf(error) ?? '');
