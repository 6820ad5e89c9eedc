/** The fields for the log lines of one request. `organizationId` is null until a token proves the organization. */
export interface RequestContext {
  readonly requestId: string;
  organizationId: string | null;
  /** Set when the request is traced. */
  traceId?: string;
}

/** Calls `run` so that the logger finds `context` in everything that `run` does, also after an await. */
export type RunWithRequestContext = (context: RequestContext, run: () => void) => void;
