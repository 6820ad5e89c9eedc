import type { Span, SpanAttributes, TraceHeaders } from '../../application/ports/runtime/tracing.ts';
import { spanJson } from './span-json.ts';

/** By OTLP. */
export const SpanKind = { internal: 1, server: 2 } as const;

/** Where ended spans go, and what names new ones. */
export interface Recorder {
  readonly newSpanId: () => string;
  readonly ended: (json: string) => void;
}

/** This process's part of a trace. */
export interface TracePart {
  readonly traceId: string;
  readonly traceState: string | undefined;
  readonly recorder: Recorder;
  /** Where `performance.now()` began, in milliseconds since 1970: one for all spans, so that none begins before its parent. */
  readonly epochMs: number;
}

interface SpanStart {
  readonly name: string;
  readonly kind: number;
  readonly parentSpanId: string | null;
  readonly isParentRemote: boolean;
  /** In `performance.now()`. */
  readonly startedAtMs: number;
}

/** A span that is kept as few fields, and becomes OTLP's JSON when it ends. */
export class RecordedSpan implements Span {
  readonly #trace: TracePart;
  readonly #start: SpanStart;
  readonly #spanId: string;
  #name: string;
  #attributes: Record<string, string | number | boolean>;
  #isFailed = false;
  #isEnded = false;

  constructor(trace: TracePart, start: SpanStart, attributes?: SpanAttributes) {
    this.#trace = trace;
    this.#start = start;
    this.#spanId = trace.recorder.newSpanId();
    this.#name = start.name;
    this.#attributes = { ...attributes };
  }

  get traceId(): string {
    return this.#trace.traceId;
  }

  get headers(): TraceHeaders {
    return traceHeaders(this.#trace.traceId, this.#spanId, { isSampled: true }, this.#trace.traceState);
  }

  begin(name: string, attributes?: SpanAttributes): RecordedSpan {
    return this.#within(name, performance.now(), attributes);
  }

  add(name: string, startedAtMs: number): void {
    this.#within(name, startedAtMs).end();
  }

  rename(name: string): void {
    this.#name = name;
  }

  set(attributes: SpanAttributes): void {
    Object.assign(this.#attributes, attributes);
  }

  fail(type: string): void {
    this.#attributes['error.type'] = type;
    this.#isFailed = true;
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { traceId, traceState, epochMs, recorder } = this.#trace;
    const { kind, parentSpanId, isParentRemote, startedAtMs } = this.#start;
    recorder.ended(
      spanJson({
        traceId,
        spanId: this.#spanId,
        parentSpanId,
        isParentRemote,
        traceState,
        name: this.#name,
        kind,
        startMs: epochMs + startedAtMs,
        endMs: epochMs + performance.now(),
        attributes: this.#attributes,
        isFailed: this.#isFailed,
      }),
    );
  }

  #within(name: string, startedAtMs: number, attributes?: SpanAttributes): RecordedSpan {
    const parentSpanId = this.#spanId;
    const start = { name, kind: SpanKind.internal, parentSpanId, isParentRemote: false, startedAtMs };
    return new RecordedSpan(this.#trace, start, attributes);
  }
}

/** The span of a trace that is not to be recorded: it only says so to services that are asked for something. */
export class UnrecordedSpan implements Span {
  readonly traceId: string;
  readonly headers: TraceHeaders;

  constructor(traceId: string, spanId: string) {
    this.traceId = traceId;
    this.headers = traceHeaders(traceId, spanId, { isSampled: false });
  }

  begin(): UnrecordedSpan {
    return this;
  }

  add(): void {}
  rename(): void {}
  set(): void {}
  fail(): void {}
  end(): void {}
}

const traceHeaders = (
  traceId: string,
  spanId: string,
  { isSampled }: { readonly isSampled: boolean },
  traceState?: string,
): TraceHeaders => ({
  traceparent: `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`,
  ...(traceState !== undefined && traceState !== '' && { tracestate: traceState }),
});
