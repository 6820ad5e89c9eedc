import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type HrTime,
  type Span as ApiSpan,
  type Tracer,
} from '@opentelemetry/api';
import { parseKeyPairsIntoRecord, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  RandomIdGenerator,
  SamplingDecision,
  TracerProvider,
  type IdGenerator,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { Span, SpanAttributes, TraceHeaders, Tracing } from '../../application/ports/runtime/tracing.ts';
import { OutageExporter } from './outage-exporter.ts';
import { samplerOf, type SamplerOptions } from './sampler-of.ts';

export interface OpenTelemetryOptions {
  /** Of the collector's OTLP/HTTP receiver, without `/v1/traces`. */
  readonly endpoint: string;
  /** For the collector, such as a key: `name=value` pairs, separated by commas. */
  readonly headers: string;
  readonly sampler: SamplerOptions;
  readonly namesOrganizations: boolean;
  readonly service: { readonly name: string; readonly version: string; readonly instanceId: string };
}

/** A collector that does not answer gives up a batch after this time. The batches after it wait, or are dropped. */
const EXPORT_TIMEOUT_MS = 5000;
/** Serialized in one piece on the event loop: larger batches would hold requests up. */
const BATCH_SPANS = 128;
/** About 2 MB. What comes on top of it is dropped. */
const QUEUE_SPANS = 2048;

const propagator = new W3CTraceContextPropagator();

/** Sends spans to a collector over OTLP/HTTP. Nothing of the SDK is registered globally. Decision 0055. */
export class OpenTelemetryTracing implements Tracing {
  readonly namesOrganizations: boolean;
  readonly #sampler: Sampler;
  readonly #ids = new TraceIds();
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  constructor(options: OpenTelemetryOptions, logger: Logger) {
    const { endpoint, headers, sampler, service } = options;
    this.namesOrganizations = options.namesOrganizations;
    const exporter = new OTLPTraceExporter({
      url: `${endpoint}/v1/traces`,
      headers: parseKeyPairsIntoRecord(headers),
      timeoutMillis: EXPORT_TIMEOUT_MS,
    });
    this.#sampler = samplerOf(sampler);
    this.#provider = new TracerProvider({
      sampler: this.#sampler,
      idGenerator: this.#ids,
      resource: resourceFromAttributes({
        'service.name': service.name,
        'service.version': service.version,
        'service.instance.id': service.instanceId,
      }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: new OutageExporter(exporter, { endpoint, logger }),
          maxExportBatchSize: BATCH_SPANS,
          maxQueueSize: QUEUE_SPANS,
          exportTimeoutMillis: EXPORT_TIMEOUT_MS,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('mad');
  }

  receive(name: string, headers: Readonly<Record<string, unknown>>): Span | null {
    if (headers['traceparent'] !== undefined)
      return this.#serve(name, propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter));
    // Most requests are not sampled, and a span that is thrown away costs six times as much as the decision.
    return this.#isSampled(name) ? this.#serve(name, ROOT_CONTEXT) : null;
  }

  #serve(name: string, context: Context): Span | null {
    const clock = new TraceClock();
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: clock.now() }, context);
    return span.isRecording() ? new OpenTelemetrySpan(this.#tracer, span, clock) : null;
  }

  #isSampled(name: string): boolean {
    const traceId = this.#ids.generateTraceId();
    const { decision } = this.#sampler.shouldSample(ROOT_CONTEXT, traceId, name, SpanKind.SERVER, {}, []);
    if (decision === SamplingDecision.NOT_RECORD) return false;
    this.#ids.next = traceId;
    return true;
  }

  begin(name: string, attributes: SpanAttributes = {}): Span {
    const clock = new TraceClock();
    const span = this.#tracer.startSpan(name, { attributes, startTime: clock.now() }, ROOT_CONTEXT);
    return new OpenTelemetrySpan(this.#tracer, span, clock);
  }

  /** Sends what is left. Resolves after five seconds at most, also when the collector does not answer. */
  async close(): Promise<void> {
    // What could not be sent was logged.
    await this.#provider.shutdown().catch(() => undefined);
  }
}

/**
 * The clock of this process's part of a trace. The SDK asks the wall clock for each span anew, which tells whole milliseconds:
 * a step would seem to begin before the one that it belongs to.
 */
class TraceClock {
  readonly #epochMs = Date.now() - performance.now();

  now(): HrTime {
    return this.at(performance.now());
  }

  /** @param momentMs in `performance.now()` */
  at(momentMs: number): HrTime {
    const ms = this.#epochMs + momentMs;
    const seconds = Math.floor(ms / 1000);
    return [seconds, Math.floor((ms - seconds * 1000) * 1e6)];
  }
}

/** Random ids. The trace that begins next can be given the id by which it was sampled. */
class TraceIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  next: string | null = null;

  generateTraceId(): string {
    const id = this.next ?? this.#random.generateTraceId();
    this.next = null;
    return id;
  }

  generateSpanId(): string {
    return this.#random.generateSpanId();
  }
}

class OpenTelemetrySpan implements Span {
  readonly #tracer: Tracer;
  readonly #span: ApiSpan;
  readonly #clock: TraceClock;
  /** Made when it is needed: most spans have no steps within them. */
  #context: Context | null = null;

  constructor(tracer: Tracer, span: ApiSpan, clock: TraceClock) {
    this.#tracer = tracer;
    this.#span = span;
    this.#clock = clock;
  }

  get traceId(): string {
    return this.#span.spanContext().traceId;
  }

  get headers(): TraceHeaders {
    const headers: Record<string, string> = {};
    propagator.inject(this.#within, headers, defaultTextMapSetter);
    return headers;
  }

  begin(name: string, attributes?: SpanAttributes): Span {
    if (!this.#span.isRecording()) return this;
    const span = this.#tracer.startSpan(name, { startTime: this.#clock.now() }, this.#within);
    // Given at the start, they would be copied and checked three times, for samplers that ask for them.
    if (attributes !== undefined) span.setAttributes(attributes);
    return new OpenTelemetrySpan(this.#tracer, span, this.#clock);
  }

  add(name: string, startedAtMs: number): void {
    const startTime = this.#clock.at(startedAtMs);
    this.#tracer.startSpan(name, { startTime }, this.#within).end(this.#clock.now());
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  fail(type: string): void {
    this.#span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    if (this.#span.isRecording()) this.#span.end(this.#clock.now());
  }

  get #within(): Context {
    return (this.#context ??= trace.setSpan(ROOT_CONTEXT, this.#span));
  }
}
