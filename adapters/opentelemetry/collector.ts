import { ExportResultCode, parseKeyPairsIntoRecord, type ExportResult } from '@opentelemetry/core';
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http';
import type { Logger } from '../../application/ports/runtime/logger.ts';

/** A batch that the collector does not take within this time is given up. */
const TIMEOUT_MS = 5000;

/** Sends over HTTP, and tries again what may be tried again. */
export interface Transport {
  export(body: Uint8Array, done: (result: ExportResult) => void): void;
}

/** Takes batches of spans. Says once that it cannot be reached, and once that it can again. */
export class Collector {
  readonly #transport: Transport;
  readonly #endpoint: string;
  readonly #logger: Logger;
  #failing = false;

  constructor(
    transport: Transport,
    { endpoint, logger }: { readonly endpoint: string; readonly logger: Logger },
  ) {
    this.#transport = transport;
    this.#endpoint = endpoint;
    this.#logger = logger;
  }

  /** @param options.headers as `name=value` pairs, separated by commas */
  static at({
    endpoint,
    headers,
    logger,
  }: {
    readonly endpoint: string;
    readonly headers: string;
    readonly logger: Logger;
  }): Collector {
    const options = {
      url: `${endpoint}/v1/traces`,
      headers: parseKeyPairsIntoRecord(headers),
      timeoutMillis: TIMEOUT_MS,
      // One batch is sent at a time, but the one before counts until a moment after its end.
      concurrencyLimit: 2,
    };
    const transport = createOtlpHttpExportDelegate<Uint8Array, null>(
      // It adds what OpenTelemetry's own variables say, such as certificates.
      convertLegacyHttpOptions(options, 'TRACES', 'v1/traces', { 'Content-Type': 'application/json' }),
      { serializeRequest: (body) => body, deserializeResponse: () => null },
      'otlp_http_span_exporter',
      // Of metrics that nobody asked for.
      { name: 'span', countItems: () => 1 },
      undefined,
    );
    return new Collector(transport, { endpoint, logger });
  }

  /** Never rejects: what the collector does not take is lost. */
  send(body: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#transport.export(body, (result) => {
        this.#note(result);
        resolve();
      });
    });
  }

  #note({ code, error }: ExportResult): void {
    const isFailing = code !== ExportResultCode.SUCCESS;
    if (isFailing === this.#failing) return;
    this.#failing = isFailing;
    const endpoint = this.#endpoint;
    if (isFailing) this.#logger.write('traces.lost', { endpoint, err: error });
    else this.#logger.write('traces.sent_again', { endpoint });
  }
}
