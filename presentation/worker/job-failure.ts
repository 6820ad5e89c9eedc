export type FailureCode =
  | 'no_poses'
  | 'out_of_memory_or_killed'
  | 'unreadable_output'
  | 'unsupported_input'
  | 'input_unavailable'
  | 'engine_error'
  | 'runtime_exceeded'
  | 'outputs_refused';

/** Raised when a job fails for a reason of its own, which its submitter is told. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly code: FailureCode;
  /** Whether another attempt may succeed. */
  readonly retryable: boolean;

  constructor({
    code,
    message,
    retryable,
  }: {
    readonly code: FailureCode;
    readonly message: string;
    readonly retryable: boolean;
  }) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}
