import type { ServerId } from '../../../domain/databases/server.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { Span } from '../runtime/tracing.ts';
import type { ResultsDatabase } from './results-database.ts';

/** What a lease has cost so far. It grows while the lease is held. */
export interface LeaseCost {
  /** Statements that were sent, apart from those that begin and end transactions. */
  readonly queries: number;
  /** How long connections were held, added up. */
  readonly dbMs: number;
  /** How long was waited for the pool to be open, and for connections. */
  readonly waitedMs: number;
}

/** A claim on one organization's pool: while it is held, the pool is not taken away. */
export interface ResultsLease {
  readonly database: ResultsDatabase;
  /** Where the database is. */
  readonly serverId: ServerId;
  readonly cost: LeaseCost;
  /** Gives the claim back; safe to call twice. */
  release(): void;
}

/** Connections of one pool at this moment. `open = inUse + idle`, connects under way count as in use. */
export interface PoolSnapshot {
  readonly open: number;
  readonly inUse: number;
  readonly idle: number;
  readonly waiting: number;
}

/** The way to the results databases. */
export interface OrganizationDatabases {
  /**
   * Opens the organization's pool, or finds it, and claims it. Makes the database at first use. Safe to call
   * concurrently: all callers share one opening, and a failed one is forgotten.
   *
   * @param span of the request, under which the lease and its statements are recorded; null: they are not
   * @throws {OrganizationNotFoundError} nothing is made for an unknown organization
   * @throws {OrganizationSuspendedError}
   * @throws {OrganizationDatabaseNotFoundError} when databases are not to be made automatically
   * @throws {DatabaseProvisioningError} when the database cannot be made
   * @throws {OrganizationNotReadyError} when another release has to come first, or the database is being put aside
   * @throws {DatabaseConnectionError} when the metadata database cannot be asked
   */
  acquire(organizationId: OrganizationId, span?: Span | null): Promise<ResultsLease>;
  /**
   * As `acquire`, for work that no user has asked for: it makes no database where there is none.
   *
   * @throws {OrganizationDatabaseNotFoundError} also when the database was put aside
   */
  acquireExisting(organizationId: OrganizationId): Promise<ResultsLease>;
  /**
   * Makes the organization's database if it is not ready, also when that is not automatic. Idempotent.
   *
   * @throws {DatabaseConnectionError} also when it was ready, and is missing or another one on the server
   */
  provision(organizationId: OrganizationId): Promise<void>;
  /** Looks at a pool without opening it or making it look used. */
  peek(organizationId: OrganizationId): PoolSnapshot | null;
}
