import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../../application/ports/runtime/logger.ts';

/** Says once that spans cannot be sent, and once that they are sent again. The SDK itself would say nothing. */
export class OutageExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #endpoint: string;
  readonly #logger: Logger;
  #failing = false;

  constructor(
    exporter: SpanExporter,
    { endpoint, logger }: { readonly endpoint: string; readonly logger: Logger },
  ) {
    this.#exporter = exporter;
    this.#endpoint = endpoint;
    this.#logger = logger;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      this.#note(result);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
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
