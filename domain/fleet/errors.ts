import { DomainError } from '../exceptions.ts';

/** Raised when a run is no longer as the caller saw it, or what was asked does not fit its state; nothing was changed. */
export class MigrationStateConflictError extends DomainError {
  readonly code = 'migration_state_conflict';
}

/** Raised when no fleet migration has that number. */
export class MigrationRunNotFoundError extends DomainError {
  readonly code = 'migration_run_not_found';

  constructor() {
    super('There is no such migration run.');
  }
}
