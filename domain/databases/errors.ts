import { DatabaseError, type DomainErrorOptions } from '../exceptions.ts';
import type { PlacementRefusal } from './placement-policy.ts';

/** Raised when an organization has no database and the service may not make one. */
export class OrganizationDatabaseNotFoundError extends DatabaseError {
  readonly code = 'organization_database_not_found';

  constructor() {
    super('The organization has no results database.');
  }
}

/**
 * Why a database that exists is not served.
 * - `older_schema`: an operator has to migrate it.
 * - `newer_schema`: a newer release has migrated it.
 * - `changing`: somebody is working on it, and will be done soon.
 */
export type NotReadyReason = 'older_schema' | 'newer_schema' | 'changing';

const OPERATOR_PATIENCE_MS = 60_000;

/** Raised when a database exists and cannot be served now: its schema needs another release, or it is being retired. */
export class OrganizationNotReadyError extends DatabaseError {
  readonly code = 'organization_not_ready';
  readonly reason: NotReadyReason;
  override readonly retryAfterMs: number | null;

  /** @param options.reason `changing` by default */
  constructor(
    message: string,
    { reason = 'changing', ...options }: DomainErrorOptions & { readonly reason?: NotReadyReason } = {},
  ) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = reason === 'changing' ? null : OPERATOR_PATIENCE_MS;
  }
}

/** Raised when an organization uses all that it may at a time: connections, requests that wait, bytes of answers under way. */
export class OrganizationBusyError extends DatabaseError {
  readonly code = 'organization_busy';
  override readonly retryAfterMs: number | null;

  constructor(
    retryAfterMs: number | null = null,
    message = 'The organization has more requests under way than its share of connections serves.',
  ) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Raised when the budget of server connections stays spent until the deadline. */
export class ConnectionBudgetExhaustedError extends DatabaseError {
  readonly code = 'connection_budget_exhausted';
  override readonly retryAfterMs: number | null;

  constructor(retryAfterMs: number | null = null) {
    super('All connections of this service are in use.');
    this.retryAfterMs = retryAfterMs;
  }
}

/** Raised when no server may take an organization's database; nothing is written. The message names servers: clients never see it. */
export class NoServerAvailableError extends DatabaseError {
  readonly code = 'no_server_available';
  readonly refused: readonly PlacementRefusal[];

  constructor(refused: readonly PlacementRefusal[]) {
    const reasons = refused.map(({ serverId, reason }) => `${serverId} (${reason})`);
    super(`No server may take the organization's database now: ${reasons.join(', ')}.`);
    this.refused = refused;
  }
}

/** Raised when there is no server of that name. */
export class ServerNotFoundError extends DatabaseError {
  readonly code = 'server_not_found';

  constructor() {
    super('There is no such server.');
  }
}
