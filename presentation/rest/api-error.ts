/** Raised when the service answers otherwise than its client expects. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** The code of the problem; null when something else answered, such as a proxy. */
  readonly code: string | null;
  /** What the answer asks to wait before the next try. */
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    answer: { readonly status: number; readonly code: string | null; readonly retryAfterMs: number | null },
  ) {
    super(message);
    this.status = answer.status;
    this.code = answer.code;
    this.retryAfterMs = answer.retryAfterMs;
  }
}
