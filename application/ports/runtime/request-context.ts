/** What every log line of one request carries. The organization is filled in once a token has proved it. */
export interface RequestContext {
  readonly requestId: string;
  organizationId: string | null;
}

/** Runs `run` so that whatever is logged on its way, also after an await, can find `context`. */
export type RunWithRequestContext = (context: RequestContext, run: () => void) => void;
