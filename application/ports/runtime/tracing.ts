/** Says what happened, never with which values: no SQL parameters, no paths, no ids that callers chose. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Names a trace in requests to other services: W3C `traceparent`, and `tracestate` where there is one. */
export type TraceHeaders = Readonly<Record<string, string>>;

/** One step of a trace, from its beginning to `end`. Costs something only where it is recorded. Never throws. */
export interface Span {
  /** In hexadecimal digits. */
  readonly traceId: string;
  /** For requests that this step makes. An unrecorded span has them as well: the trace is to be recorded nowhere then. */
  readonly headers: TraceHeaders;
  /** Begins a step within this one. */
  begin(name: string, attributes?: SpanAttributes): Span;
  /** Adds a step within this one that began at `startedAtMs` (in `performance.now()`) and ends now. */
  add(name: string, startedAtMs: number): void;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** @param type a code or the name of a class: messages may quote values */
  fail(type: string): void;
  /** Safe to call twice. */
  end(): void;
}

/**
 * Records where the time of requests and jobs goes. Decision 0055.
 *
 * A span is handed down as an argument, null where nothing is recorded: no ambient state, and a request that is not
 * recorded costs a comparison with null at each step.
 */
export interface Tracing {
  /** Whether spans may name organizations. */
  readonly namesOrganizations: boolean;
  /**
   * Begins the span of a request that came in, within the trace that its headers name.
   *
   * @returns null: this request is not recorded
   */
  receive(name: string, headers: Readonly<Record<string, unknown>>): Span | null;
  /**
   * Begins a trace of this process's own. One that is not to be recorded is a span all the same: it says so to the services
   * that are asked for something.
   *
   * @returns null: tracing has not started
   */
  begin(name: string, attributes?: SpanAttributes): Span | null;
}

/** What a span may say of an error: its code, or else its class. */
export const errorType = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
};

/** What decides whether a trace is recorded, by OpenTelemetry's names. `parentbased`: as the caller of a request decided. */
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type SamplerName = (typeof SAMPLERS)[number];
