import { ConnectionBudgetExhaustedError, OrganizationBusyError } from '../../domain/databases/errors.ts';
import type { Claimed, Provisioning } from '../../application/ports/databases/provisioning.ts';
import type {
  OrganizationDatabases,
  PoolSnapshot,
  ResultsLease,
} from '../../application/ports/databases/organization-databases.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { DatabaseMetrics } from '../../application/ports/runtime/database-metrics.ts';
import { errorType, type Span } from '../../application/ports/runtime/tracing.ts';
import type { OrganizationPolicies } from '../../application/ports/runtime/organization-policies.ts';
import { isSamePlacement, type Placement } from '../../domain/databases/placement.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { ConnectionPool } from '../pools/connection-pool.ts';
import type { LeaseTrace } from '../pools/connection-trace.ts';
import type { PoolSize } from '../pools/pool-options.ts';
import { PooledDatabase } from '../pools/pooled-database.ts';
import { WorkScope } from '../pools/work-scope.ts';
import { sqlStateOf } from '../postgres/postgres-errors.ts';
import type { ControlConnection } from '../servers/control-connection.ts';
import type { ResultsServer } from '../servers/results-server.ts';
import type { ResultsServers } from '../servers/results-servers.ts';
import { MisplacedDatabaseError } from '../servers/server-connector.ts';
import { EventLoopLoad } from '../timing/event-loop-load.ts';
import { Periodic } from '../timing/periodic.ts';
import { LeasedRegistry, type RemovalReason } from './leased-registry.ts';
import { Newcomers } from './newcomers.ts';
import { OrganizationPool, type OpenPool } from './organization-pool.ts';
import type { SchemaGuard } from './schema-guard.ts';

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

/** What the manager uses of a server. */
export type RoutedServer = Pick<ResultsServer, 'connect' | 'budget' | 'breaker' | 'welcome' | 'names'>;

/** What the manager uses of all servers. */
export interface RoutedServers extends Pick<ResultsServers, 'connections' | 'closeIdleSince' | 'close'> {
  /** @throws {DatabaseConnectionError} when this process is not configured for the server */
  of(serverId: Placement['serverId']): RoutedServer;
}

export interface ManagerDeps {
  readonly metadataPool: ConnectionPool;
  /** Closed with the pools: processes share the servers' connections through it. */
  readonly metadataControl: Pick<ControlConnection, 'close'>;
  readonly servers: RoutedServers;
  readonly provisioning: Provisioning;
  readonly policies: Pick<OrganizationPolicies, 'policyOf'>;
  /** Turns organizations away whose schema left the release's window, also on pools that are open. */
  readonly schemaGuard: Pick<SchemaGuard, 'check'>;
  /** Called once per lease: the handle ends with it. */
  readonly buildResultsDatabase: (database: PooledDatabase, placement: Placement) => ResultsDatabase;
  /** Of one server; nothing is measured by default. */
  readonly metricsOf?: (serverId: Placement['serverId']) => DatabaseMetrics;
  readonly logger: Logger;
}

export interface ManagerCounts {
  /** Live pools of organizations. */
  readonly pools: number;
  /** Pools taken out of service whose last request has not ended. */
  readonly draining: number;
  readonly leases: number;
  /** Connections to results databases on all servers: open, being opened or being closed. */
  readonly connections: number;
  /** Pools taken out of service since the start. */
  readonly removals: Readonly<Record<RemovalReason, number>>;
  /** Leases that outlived their deadline since the start. */
  readonly leaks: number;
  /** Connections that were in another database than the one on record, or refused by it, since the start. */
  readonly misplaced: number;
}

const SWEEPS_PER_IDLE_TIMEOUT = 4;

/**
 * The way from an organization to its database, whichever server it is on. One for the whole process: opens pools at
 * first use, lends them to requests, and closes what lies idle. Decision 0006.
 */
export class DatabaseConnectionManager implements OrganizationDatabases {
  readonly metadata: ConnectionPool;
  readonly #options: ManagerOptions;
  readonly #deps: ManagerDeps;
  readonly #pools: LeasedRegistry<OrganizationPool>;
  readonly #load = new EventLoopLoad();
  readonly #newcomers: Newcomers;
  /** Closes what lies idle, from the construction to `closeAll`. */
  readonly sweeps: Periodic;
  readonly #removals: Record<RemovalReason, number> = { evict: 0, expire: 0, invalidate: 0, retire: 0 };
  #leaks = 0;
  #misplaced = 0;
  #closing: Promise<void> | null = null;

  constructor(options: ManagerOptions, deps: ManagerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.metadata = deps.metadataPool;
    this.#newcomers = new Newcomers({ serverOf: ({ serverId }) => deps.servers.of(serverId) });
    this.#pools = new LeasedRegistry({
      capacity: options.maxPools,
      leaseTimeoutMs: options.leaseTimeoutMs,
      onRemoval: (organizationId, reason) => {
        deps.logger.write('pool.removed', { org_id: organizationId, reason });
        this.#removals[reason] += 1;
      },
      onLeak: (organizationId, heldMs) => {
        deps.logger.write('lease.leaked', { org_id: organizationId, held_ms: Math.round(heldMs) });
        this.#leaks += 1;
      },
    });
    this.sweeps = new Periodic({
      everyMs: options.idleTimeoutMs / SWEEPS_PER_IDLE_TIMEOUT,
      work: async () => this.sweep(),
      onFailure: (error) => deps.logger.write('pool.sweep_failed', { err: error }),
    });
    this.sweeps.start();
  }

  async acquire(organizationId: OrganizationId, request: Span | null = null): Promise<ResultsLease> {
    const beganAt = performance.now();
    if (this.#closing !== null) throw new DatabaseConnectionError('The service is stopping.');
    this.#deps.schemaGuard.check(organizationId);
    const known = this.#pools.peek(organizationId);
    if (known?.outdated === true) this.#pools.remove(organizationId, known, 'invalidate');
    const span = request?.begin('results.lease') ?? null;
    // Claimed before anything is awaited: from here on nothing closes this pool.
    const lease = this.#pools.checkout(organizationId, () => this.#newPool(organizationId, known, span));
    const wasOpen = lease.value.open !== null;
    try {
      const { pool, placement } = await lease.value.ready;
      lease.value.applyPolicy(this.#deps.policies.policyOf(organizationId), this.#options.organizationPool);
      const scope = new WorkScope();
      const leasedAt = performance.now();
      scope.cost.waitedMs = leasedAt - beganAt;
      const trace = span === null ? null : this.#traceOf(span, placement);
      span?.set({ 'mad.lease': wasOpen ? 'hit' : lease.value.provisioned ? 'provisioned' : 'opened' });
      return {
        serverId: placement.serverId,
        cost: scope.cost,
        database: this.#deps.buildResultsDatabase(new PooledDatabase(pool, scope, trace), placement),
        release: () => {
          scope.end();
          this.#deps.metricsOf?.(placement.serverId).leased((performance.now() - leasedAt) / 1000);
          lease.value.requestEnded();
          lease.release();
          span?.end();
        },
      };
    } catch (error) {
      span?.fail(errorType(error));
      span?.end();
      this.#pools.remove(organizationId, lease.value, 'invalidate');
      lease.value.requestEnded();
      lease.release();
      throw error;
    }
  }

  async acquireExisting(organizationId: OrganizationId): Promise<ResultsLease> {
    const known = this.#pools.peek(organizationId);
    // Asked apart from the opening, which requests share that may have the database made.
    if (known === undefined || known.outdated)
      await this.#deps.provisioning.find(organizationId, { create: false });
    return this.acquire(organizationId);
  }

  async provision(organizationId: OrganizationId): Promise<void> {
    await this.#deps.provisioning.confirm(organizationId);
  }

  peek(organizationId: OrganizationId): PoolSnapshot | null {
    return this.#pools.peek(organizationId)?.open?.pool.snapshot() ?? null;
  }

  /** The organization's database is elsewhere now, or another one: the next request asks the ledger. */
  forgetPlacement(organizationId: OrganizationId): void {
    const pool = this.#pools.peek(organizationId);
    if (pool !== undefined) pool.outdated = true;
  }

  /** The pools that are open, with their organizations. Does not count as use. */
  *openPools(): IterableIterator<{ readonly placement: Placement; readonly pool: ConnectionPool }> {
    for (const [, { open }] of this.#pools.entries()) if (open !== null) yield open;
  }

  /** What all pools hold together, and what became of earlier ones; constant time. */
  counts(): ManagerCounts {
    const { active, draining, leases } = this.#pools.counts;
    return {
      pools: active,
      draining,
      leases,
      connections: this.#deps.servers.connections,
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
    this.#deps.servers.closeIdleSince(before);
    for (const { pool } of this.openPools()) pool.closeIdleSince(before);
    this.#pools.sweep(({ open }, idleMs) => idleMs > idleTimeoutMs && open?.pool.slots.held === 0);
  }

  /** Lets running requests end, closes every pool, then the servers, the metadata pool last. Safe to call twice. */
  closeAll(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    await this.sweeps.close();
    await this.#pools.closeAll(this.#options.drainTimeoutMs);
    await this.#deps.servers.close();
    await this.#deps.metadataControl.close();
    await this.metadata.close();
  }

  #traceOf(span: Span, { serverId }: Placement): LeaseTrace {
    const { names, budget } = this.#deps.servers.of(serverId);
    return {
      span,
      // The database's own name holds the organization.
      target: { 'db.system.name': 'postgresql', 'db.namespace': names.family, 'server.address': serverId },
      budget,
    };
  }

  /**
   * @param previous the pool that it replaces, if any: what is still broken is not tried more often for that
   * @param span of the lease that opens the pool
   */
  #newPool(
    organizationId: OrganizationId,
    previous: OrganizationPool | undefined,
    span: Span | null,
  ): OrganizationPool {
    const { provisioning } = this.#deps;
    const entry: OrganizationPool = new OrganizationPool(async (served) => {
      const found = await provisioning.find(organizationId, { create: this.#options.autoCreate });
      const openPool = (at: Placement, named?: Promise<void>): ConnectionPool =>
        this.#openPool(entry, at, previous, named);
      const openAt = (placement: Placement): OpenPool => ({ placement, pool: openPool(placement) });
      if ('placement' in found) return openAt(found.placement);
      const enter = async ({ placement, make }: Claimed): Promise<OpenPool> => {
        if (make === null) return openAt(placement);
        entry.provisioned = true;
        const { named, ready } = await make();
        const early = openPool(placement, named);
        try {
          // The first login goes on while the ledger is told; nobody is served before both are done.
          const [made] = await Promise.all([ready, early.prepare()]);
          if (isSamePlacement(made, placement)) return { placement, pool: early };
          await early.close();
          return openAt(made);
        } catch (error) {
          await early.close();
          throw error;
        }
      };
      const making = span?.begin('provision') ?? null;
      return this.#newcomers.admit(() => found.claim(making), { enter, served }).finally(() => making?.end());
    });
    return entry;
  }

  #openPool(
    entry: OrganizationPool,
    placement: Placement,
    previous: OrganizationPool | undefined,
    named: Promise<void> | undefined,
  ): ConnectionPool {
    const { servers, policies } = this.#deps;
    const server = servers.of(placement.serverId);
    return new ConnectionPool({
      databaseName: placement.databaseName,
      connect: async () => {
        try {
          return await server.connect(placement, policies.policyOf(placement.organizationId), named);
        } catch (error) {
          if (error instanceof MisplacedDatabaseError) this.#misplaced += 1;
          // Moved, made again or gone: the next request asks the ledger. A login that was begun before the database had
          // its name says nothing of that.
          if (isMisplaced(error) && entry.open !== null) entry.outdated = true;
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
      budget: server.budget,
      serverBreaker: server.breaker,
      isSaturated: () => this.#load.isSaturated,
      breaker: previous?.breakerFor(placement),
      metrics: this.#deps.metricsOf?.(placement.serverId),
    });
  }
}

/** Where organizations have roles, a refused login is the first sign that the database was made again. */
const isMisplaced = (error: unknown): boolean =>
  error instanceof MisplacedDatabaseError || /^(?:3D000|28...|42501)$/.test(sqlStateOf(error) ?? '');
