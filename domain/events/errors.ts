import { DomainError } from '../exceptions.ts';

/** Raised when an organization has as many event streams open in this process as it may. */
export class TooManyStreamsError extends DomainError {
  readonly code = 'too_many_streams';

  constructor(most: number) {
    super(`There are ${most} event streams open, the most that there may be. Close one of them first.`, {
      details: { most },
    });
  }
}
