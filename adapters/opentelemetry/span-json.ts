import type { SpanAttributes } from '../../application/ports/runtime/tracing.ts';

/** A span that has ended, within the terms of OTLP. */
export interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Null: it is the first of its trace. */
  readonly parentSpanId: string | null;
  readonly isParentRemote: boolean;
  readonly traceState: string | undefined;
  readonly name: string;
  /** By OTLP's numbers, which are one above those of the API. */
  readonly kind: number;
  /** Milliseconds since 1970, with all digits that the clock has. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly isFailed: boolean;
}

const SAMPLED = 0x001;
const KNOWS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const FAILED = 2;

/**
 * A span in OTLP's JSON. The SDK makes objects of OTLP out of its own before it serializes them, which costs three times as much.
 */
export const spanJson = (span: EndedSpan): string => {
  const { traceId, spanId, parentSpanId, isParentRemote, traceState, name, kind, isFailed } = span;
  const parent = parentSpanId === null ? '' : `"parentSpanId":"${parentSpanId}",`;
  const state = traceState === undefined ? '' : `"traceState":${JSON.stringify(traceState)},`;
  const flags = SAMPLED | KNOWS_REMOTE | (isParentRemote ? IS_REMOTE : 0);
  const times = `"startTimeUnixNano":"${nanoseconds(span.startMs)}","endTimeUnixNano":"${nanoseconds(span.endMs)}"`;
  const status = isFailed ? `{"code":${FAILED}}` : '{}';
  return `{"traceId":"${traceId}","spanId":"${spanId}",${parent}${state}"flags":${flags},"name":${JSON.stringify(name)},"kind":${kind},${times},"attributes":${attributesJson(span.attributes)},"status":${status}}`;
};

export const attributesJson = (attributes: SpanAttributes): string => {
  let list = '';
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined) continue;
    list += `${list === '' ? '' : ','}{"key":${JSON.stringify(key)},"value":${valueJson(value)}}`;
  }
  return `[${list}]`;
};

const valueJson = (value: string | number | boolean): string => {
  if (typeof value === 'string') return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  return Number.isSafeInteger(value) ? `{"intValue":${value}}` : `{"doubleValue":${JSON.stringify(value)}}`;
};

const nanoseconds = (ms: number): string => {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, '0')}`;
};
