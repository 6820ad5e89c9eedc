/** Typed facts about an error; safe to show to the client that caused it. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

export interface DomainErrorOptions {
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/**
 * A failure in the language of the business. It knows no transport: `presentation` maps `code` to a status. Each noun
 * keeps its own errors in `domain/<noun>/errors.ts`; this file keeps the base and the family of database errors.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string;
  readonly details: ErrorDetails;

  constructor(message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
  }
}

/** A failure between the service and a database. */
export abstract class DatabaseError extends DomainError {
  /** When another try makes sense, in milliseconds from now; null when the service cannot tell. */
  readonly retryAfterMs: number | null = null;
}

/** Raised when an organization's database could not be made; the next request tries again. */
export class DatabaseProvisioningError extends DatabaseError {
  readonly code = 'database_provisioning_failed';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}

/** Raised when a database cannot be reached, or breaks off while it answers. */
export class DatabaseConnectionError extends DatabaseError {
  readonly code = 'database_unavailable';
  override readonly retryAfterMs: number | null;

  constructor(message: string, cause?: unknown, retryAfterMs: number | null = null) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Raised when this process has more of one kind of work waiting than it does in good time. */
export class ServiceBusyError extends DomainError {
  readonly code = 'service_busy';

  constructor() {
    super('The service has too much of this to do at the moment.');
  }
}

/** Raised when no organization of that id is registered. */
export class OrganizationNotFoundError extends DatabaseError {
  readonly code = 'organization_not_found';

  constructor(message = 'There is no such organization.') {
    super(message);
  }
}
