/** Typed facts about an error; safe to show to the client that caused it. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

interface DomainErrorOptions {
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/** A failure in the language of the business. Knows no transport: `presentation` maps `code` to a status. */
export abstract class DomainError extends Error {
  abstract readonly code: string;
  readonly details: ErrorDetails;

  constructor(message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
  }
}

/** One thing wrong with an input: where it stands and what is expected there. */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
}

/** Raised when an input breaks a rule; nothing has been read or written. */
export class ValidationError extends DomainError {
  readonly code = 'validation_failed';
  readonly issues: readonly InputIssue[];

  constructor(issues: readonly InputIssue[]) {
    super('The request does not satisfy the rules of this operation.');
    this.issues = issues;
  }
}

/** Raised when a request carries no valid proof of who sent it; the same for every cause. */
export class UnauthenticatedError extends DomainError {
  readonly code = 'unauthenticated';

  constructor(message = 'A valid bearer token is required.', cause?: unknown) {
    super(message, { cause });
  }
}

/** Raised when a password is right and no longer good for anything but choosing another. */
export class PasswordChangeRequiredError extends DomainError {
  readonly code = 'password_change_required';

  constructor() {
    super('The password has to be changed: log in with "new_password" beside it.');
  }
}

/** Raised when an account or an address has tried too many passwords; nothing was looked at. */
export class TooManyAttemptsError extends DomainError {
  readonly code = 'too_many_attempts';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('Too many attempts. Try again later.');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Raised when path, header and claim disagree; says nothing of whether the organization exists. */
export class OrganizationAccessDeniedError extends DomainError {
  readonly code = 'organization_access_denied';

  constructor() {
    super('This token gives no access to the organization asked for.');
  }
}

/** Raised when the organization is the caller's own but the role does not suffice. */
export class RoleRequiredError extends DomainError {
  readonly code = 'role_required';

  constructor(roles: readonly string[]) {
    super(`This operation needs one of these roles: ${roles.join(', ')}.`, {
      details: { roles: roles.join(',') },
    });
  }
}

/** Raised when an organization is suspended: its data is kept and not served. */
export class OrganizationSuspendedError extends DomainError {
  readonly code = 'organization_suspended';

  constructor() {
    super('The organization is suspended.');
  }
}

/** Raised when settings were written by somebody else since the caller read them; nothing is written. */
export class SettingsChangedError extends DomainError {
  readonly code = 'settings_changed';

  constructor(version: number) {
    super('The settings have another version than the request expects.', { details: { version } });
  }
}

export class OrganizationAlreadyExistsError extends DomainError {
  readonly code = 'organization_already_exists';

  constructor(organizationId: string) {
    super(`An organization "${organizationId}" exists already.`);
  }
}

export class UserNotFoundError extends DomainError {
  readonly code = 'user_not_found';

  constructor() {
    super('There is no such user.');
  }
}

export class UserAlreadyExistsError extends DomainError {
  readonly code = 'user_already_exists';

  constructor() {
    super('A user of this email exists already.');
  }
}

/** Raised when an administrator would shut out or demote themself. */
export class OwnAccountProtectedError extends DomainError {
  readonly code = 'own_account_protected';

  constructor() {
    super('Administrators neither disable nor demote themselves: another one has to.');
  }
}

export class MemberNotFoundError extends DomainError {
  readonly code = 'member_not_found';

  constructor() {
    super('The organization has no such member.');
  }
}

export class MemberAlreadyExistsError extends DomainError {
  readonly code = 'member_already_exists';

  constructor() {
    super('The user is a member of the organization already.');
  }
}

export class IdentityNotFoundError extends DomainError {
  readonly code = 'identity_not_found';

  constructor() {
    super('The user has no such identity.');
  }
}

/** Raised when an issuer's subject belongs to a user already, whoever that is. */
export class IdentityAlreadyLinkedError extends DomainError {
  readonly code = 'identity_already_linked';

  constructor() {
    super('This identity is linked already.');
  }
}

export class JobNotFoundError extends DomainError {
  readonly code = 'job_not_found';

  constructor(jobId: string) {
    super('The organization has no such docking job.', { details: { job_id: jobId } });
  }
}

/** Raised when no fleet migration has that number. */
export class MigrationRunNotFoundError extends DomainError {
  readonly code = 'migration_run_not_found';

  constructor() {
    super('There is no such migration run.');
  }
}

export class SignatureNotFoundError extends DomainError {
  readonly code = 'signature_not_found';

  constructor() {
    super('The organization has no cached result for this input signature.');
  }
}

/** Raised when a job's status does not allow what was asked; the job is unchanged. */
export class JobStateConflictError extends DomainError {
  readonly code = 'job_state_conflict';

  constructor(from: string, wanted: string) {
    super(`A job that is ${from} cannot ${wanted}.`, { details: { status: from } });
  }
}

/** Raised when an idempotency key comes back with another request; nothing is written. */
export class IdempotencyKeyReusedError extends DomainError {
  readonly code = 'idempotency_key_reused';

  constructor() {
    super('This Idempotency-Key was used before with a different request.');
  }
}

/** Anything that went wrong between the service and a database. */
export abstract class DatabaseError extends DomainError {
  /** When another try makes sense, in milliseconds from now; null where nobody can tell. */
  readonly retryAfterMs: number | null = null;
}

/** Raised when an organization's database could not be made; the next request tries again. */
export class DatabaseProvisioningError extends DatabaseError {
  readonly code = 'database_provisioning_failed';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}

/** Raised when a database cannot be reached, or broke off while it answered. */
export class DatabaseConnectionError extends DatabaseError {
  readonly code = 'database_unavailable';
  override readonly retryAfterMs: number | null;

  constructor(message: string, cause?: unknown, retryAfterMs: number | null = null) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Raised when no organization of that id is registered. */
export class OrganizationNotFoundError extends DatabaseError {
  readonly code = 'organization_not_found';

  constructor() {
    super('There is no such organization.');
  }
}

/** Raised when an organization has no database and none may be made for it. */
export class OrganizationDatabaseNotFoundError extends DatabaseError {
  readonly code = 'organization_database_not_found';

  constructor() {
    super('The organization has no results database.');
  }
}

/** Raised when a database exists but cannot be served now: it wants another release, or is being put aside. */
export class OrganizationNotReadyError extends DatabaseError {
  readonly code = 'organization_not_ready';
}

/** Raised when every connection the organization may hold stayed busy until the deadline, or too many wait already. */
export class OrganizationBusyError extends DatabaseError {
  readonly code = 'organization_busy';
  override readonly retryAfterMs: number | null;

  constructor(retryAfterMs: number | null = null) {
    super('The organization has more requests under way than its share of connections serves.');
    this.retryAfterMs = retryAfterMs;
  }
}

/** Raised when the budget of server connections stayed spent until the deadline. */
export class ConnectionBudgetExhaustedError extends DatabaseError {
  readonly code = 'connection_budget_exhausted';
  override readonly retryAfterMs: number | null;

  constructor(retryAfterMs: number | null = null) {
    super('All connections of this service are in use.');
    this.retryAfterMs = retryAfterMs;
  }
}
