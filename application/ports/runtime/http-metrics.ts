/**
 * One finished request. `route` is a pattern or `unmatched`, never a path: each id in a path would add a time series.
 */
export interface ObservedRequest {
  readonly method: string;
  readonly route: string;
  /** The HTTP status; 499 when the client disconnected before the end of the answer. */
  readonly status: number;
  readonly seconds: number;
}

export interface HttpMetrics {
  observe(request: ObservedRequest): void;
}
