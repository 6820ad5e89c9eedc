import { DomainError } from '../exceptions.ts';

/** Raised when the process has no background task of that name. */
export class TaskNotFoundError extends DomainError {
  readonly code = 'task_not_found';

  constructor() {
    super('There is no such background task.');
  }
}
