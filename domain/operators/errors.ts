import { DomainError, type ErrorDetails } from '../exceptions.ts';

/** Raised when the process has no background task of that name. */
export class TaskNotFoundError extends DomainError {
  readonly code = 'task_not_found';

  constructor() {
    super('There is no such background task.');
  }
}

/** Raised when something is no longer as the caller says to have seen it; nothing is written. */
export class StateConflictError extends DomainError {
  readonly code = 'state_conflict';

  /** @param now what it is by now, of what the caller named */
  constructor(now: ErrorDetails) {
    const text = Object.entries(now)
      .map(([name, value]) => `${name} is ${value}`)
      .join(', ');
    super(`It has changed since you saw it: ${text}. Look again, and decide anew.`, { details: now });
  }
}
