/** One finished request. `route` is a pattern or `unmatched`, never a path, which would make a series of each id. */
export interface ObservedRequest {
  readonly method: string;
  readonly route: string;
  /** 499 when the client went away before the answer was out. */
  readonly status: number;
  readonly seconds: number;
}

export interface HttpMetrics {
  observe(request: ObservedRequest): void;
}
