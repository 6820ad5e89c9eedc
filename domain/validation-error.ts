import { DomainError } from './exceptions.ts';

/** One fault of an input: its place in the input, and what is expected there. */
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
