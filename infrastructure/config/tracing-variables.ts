import { SAMPLERS } from '../../application/ports/runtime/tracing.ts';
import { flag, secret, text } from './variable.ts';

/** Of the service and of workers: docs/tracing.md. The names are OpenTelemetry's, but for the last. */
export const TRACING_VARIABLES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: secret(
    'tracing',
    'The OTLP/HTTP receiver of a collector, such as `http://localhost:4318`; unset: no tracing',
    'an http(s):// URL without credentials',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: secret(
    'tracing',
    'Headers that the collector asks for',
    'name=value pairs, separated by commas',
  ),
  OTEL_SERVICE_NAME: text(
    'tracing',
    null,
    '1 to 100 printable characters',
    'What traces call this program; unset: `mad`, or `mad-worker`',
  ),
  OTEL_TRACES_SAMPLER: {
    kind: 'choice',
    section: 'tracing',
    choices: SAMPLERS,
    fallback: 'parentbased_always_on',
    means:
      'Which traces are recorded; `parentbased`: as the caller decided, where a request comes with a trace',
  },
  OTEL_TRACES_SAMPLER_ARG: text(
    'tracing',
    '1',
    'a number from 0 to 1',
    'For the samplers with `traceidratio`: the part of the traces that is recorded',
  ),
  TRACE_ORGANIZATIONS: flag('tracing', false, 'Traces name the organization of each request'),
} as const;
