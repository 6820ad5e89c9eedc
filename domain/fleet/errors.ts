import { DomainError } from '../exceptions.ts';

/** Raised when no fleet migration has that number. */
export class MigrationRunNotFoundError extends DomainError {
  readonly code = 'migration_run_not_found';

  constructor() {
    super('There is no such migration run.');
  }
}
