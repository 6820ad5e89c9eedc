import {
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanKind as ApiSpanKind,
  trace,
  type Context,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { RandomIdGenerator, SamplingDecision, type Sampler } from '@opentelemetry/sdk-trace';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { Span, SpanAttributes, Tracing } from '../../application/ports/runtime/tracing.ts';
import { Collector } from './collector.ts';
import { RecordedSpan, SpanKind, UnrecordedSpan, type Recorder, type TracePart } from './recorded-span.ts';
import { samplerOf, type SamplerOptions } from './sampler-of.ts';
import { SpanBatches } from './span-batches.ts';
import { attributesJson } from './span-json.ts';

export interface OpenTelemetryOptions {
  /** Of the collector's OTLP/HTTP receiver, without `/v1/traces`. */
  readonly endpoint: string;
  /** For the collector, such as a key: `name=value` pairs, separated by commas. */
  readonly headers: string;
  readonly sampler: SamplerOptions;
  readonly namesOrganizations: boolean;
  readonly service: { readonly name: string; readonly version: string; readonly instanceId: string };
}

const propagator = new W3CTraceContextPropagator();

/** Sends spans to a collector over OTLP/HTTP. Nothing of the SDK is registered globally. Decision 0055. */
export class OpenTelemetryTracing implements Tracing {
  readonly namesOrganizations: boolean;
  readonly #sampler: Sampler;
  readonly #ids = new RandomIdGenerator();
  readonly #batches: SpanBatches;
  readonly #recorder: Recorder;

  constructor(
    { endpoint, headers, sampler, namesOrganizations, service }: OpenTelemetryOptions,
    logger: Logger,
  ) {
    this.namesOrganizations = namesOrganizations;
    this.#sampler = samplerOf(sampler);
    const collector = Collector.at({ endpoint, headers, logger });
    const attributes = attributesJson({
      'service.name': service.name,
      'service.version': service.version,
      'service.instance.id': service.instanceId,
    });
    const source = { resource: `{"attributes":${attributes}}`, scope: 'mad' };
    this.#batches = new SpanBatches(source, (body) => collector.send(body));
    this.#recorder = {
      newSpanId: () => this.#ids.generateSpanId(),
      ended: (json) => this.#batches.add(json),
    };
  }

  receive(name: string, headers: Readonly<Record<string, unknown>>): Span | null {
    // Most requests come without one.
    const context =
      headers['traceparent'] === undefined
        ? ROOT_CONTEXT
        : propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
    const parent = trace.getSpanContext(context);
    const traceId = parent?.traceId ?? this.#ids.generateTraceId();
    if (!this.#isSampled(context, traceId, name, ApiSpanKind.SERVER)) return null;
    return new RecordedSpan(this.#part(traceId, parent?.traceState?.serialize()), {
      name,
      kind: SpanKind.server,
      parentSpanId: parent?.spanId ?? null,
      isParentRemote: parent !== undefined,
      startedAtMs: performance.now(),
    });
  }

  begin(name: string, attributes?: SpanAttributes): Span {
    const traceId = this.#ids.generateTraceId();
    if (!this.#isSampled(ROOT_CONTEXT, traceId, name, ApiSpanKind.INTERNAL))
      return new UnrecordedSpan(traceId, this.#ids.generateSpanId());
    const startedAtMs = performance.now();
    const start = { name, kind: SpanKind.internal, parentSpanId: null, isParentRemote: false, startedAtMs };
    return new RecordedSpan(this.#part(traceId), start, attributes);
  }

  /** Sends what is left. Resolves within the time that a batch has, also when the collector does not answer. */
  async close(): Promise<void> {
    await this.#batches.flush();
  }

  #isSampled(context: Context, traceId: string, name: string, kind: ApiSpanKind): boolean {
    const { decision } = this.#sampler.shouldSample(context, traceId, name, kind, {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  }

  #part(traceId: string, traceState?: string): TracePart {
    const epochMs = Date.now() - performance.now();
    return { traceId, traceState, recorder: this.#recorder, epochMs };
  }
}
