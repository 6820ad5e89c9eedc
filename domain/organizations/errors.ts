import { DomainError } from '../exceptions.ts';

/** Raised when an organization is suspended: the service keeps its data and does not serve it. */
export class OrganizationSuspendedError extends DomainError {
  readonly code = 'organization_suspended';

  constructor() {
    super('The organization is suspended.');
  }
}

/** Raised when another request changed the settings after the caller had read them; nothing is written. */
export class SettingsChangedError extends DomainError {
  readonly code = 'settings_changed';

  constructor(version: number) {
    super('The settings have another version than the request expects.', { details: { version } });
  }
}

/** Raised when the organization's database is as large as it may become; nothing is written. */
export class StorageQuotaExceededError extends DomainError {
  readonly code = 'storage_quota_exceeded';

  constructor(maxBytes: number) {
    super(`The organization's results take as much room as they may: ${maxBytes} bytes.`, {
      details: { max_bytes: maxBytes },
    });
  }
}

/** Raised when the organization has as much of something as its settings allow; nothing is written. */
export class QuotaExceededError extends DomainError {
  readonly code = 'quota_exceeded';

  constructor(limit: string, most: number) {
    super(`The organization has as much as it may: ${limit} is ${most}.`, { details: { limit, most } });
  }
}

/** Raised when an organization of that id exists already; nothing is written. */
export class OrganizationAlreadyExistsError extends DomainError {
  readonly code = 'organization_already_exists';

  constructor(organizationId: string) {
    super(`An organization "${organizationId}" exists already.`);
  }
}
