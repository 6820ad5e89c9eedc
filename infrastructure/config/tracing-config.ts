import type { SamplerName } from '../../application/ports/runtime/tracing.ts';
import { PRINTABLE } from '../../domain/printable.ts';
import type { EnvironmentReader } from './environment-reader.ts';

/** Where traces go, and which. It holds secrets: never log it. */
export interface TracingConfig {
  readonly endpoint: string;
  /** `name=value` pairs, separated by commas. */
  readonly headers: string;
  /** Null: as the program is called. */
  readonly serviceName: string | null;
  readonly sampler: { readonly name: SamplerName; readonly ratio: number };
  readonly namesOrganizations: boolean;
}

const PAIRS = /^[^\s=,]+=[\x20-\x7e]*$/;

/** @returns null: nothing is traced */
export const readTracingConfig = (reader: EnvironmentReader): TracingConfig | null => {
  // Read as a secret: a message must not show a URL that is refused for its credentials.
  const endpoint = reader.secret('OTEL_EXPORTER_OTLP_ENDPOINT', (text) =>
    isPlainUrl(text) ? text : undefined,
  );
  const headers = reader.secret('OTEL_EXPORTER_OTLP_HEADERS', (text) =>
    PAIRS.test(text) ? text : undefined,
  );
  const config = {
    headers: headers ?? '',
    serviceName: reader.text(
      'OTEL_SERVICE_NAME',
      (text) => text !== '' && text.length <= 100 && PRINTABLE.test(text),
    ),
    sampler: {
      name: reader.choice('OTEL_TRACES_SAMPLER'),
      ratio: Number(reader.text('OTEL_TRACES_SAMPLER_ARG', isRatio)),
    },
    namesOrganizations: reader.boolean('TRACE_ORGANIZATIONS'),
  };
  return endpoint === null ? null : { ...config, endpoint: endpoint.replace(/\/+$/, '') };
};

/** Whether it is an address for HTTP that holds nothing secret. */
export const isPlainUrl = (text: string): boolean => {
  if (/\s/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return (
    ['http:', 'https:'].includes(protocol) && [username, password, search, hash].every((part) => part === '')
  );
};

const isRatio = (text: string): boolean =>
  /^(?:0?\.\d{1,15}|[01](?:\.\d{1,15})?)$/.test(text) && Number(text) <= 1;
