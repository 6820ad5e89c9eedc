import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { Span, SpanAttributes, Tracing } from '../../application/ports/runtime/tracing.ts';
import type { OpenTelemetryOptions, OpenTelemetryTracing } from './open-telemetry.ts';

/** Loads OpenTelemetry's SDK at `start`: what is configured without tracing, or only wired, does not pay for it. */
export class LazyTracing implements Tracing {
  readonly namesOrganizations: boolean;
  readonly #options: OpenTelemetryOptions;
  readonly #logger: Logger;
  #tracing: OpenTelemetryTracing | null = null;

  constructor(options: OpenTelemetryOptions, logger: Logger) {
    this.namesOrganizations = options.namesOrganizations;
    this.#options = options;
    this.#logger = logger;
  }

  /** Nothing is recorded before. */
  async start(): Promise<void> {
    const { OpenTelemetryTracing: Loaded } = await import('./open-telemetry.ts');
    this.#tracing ??= new Loaded(this.#options, this.#logger);
  }

  receive(name: string, headers: Readonly<Record<string, unknown>>): Span | null {
    return this.#tracing?.receive(name, headers) ?? null;
  }

  begin(name: string, attributes?: SpanAttributes): Span | null {
    return this.#tracing?.begin(name, attributes) ?? null;
  }

  /** Sends what is left, within a few seconds. Does not reject. */
  async close(): Promise<void> {
    await this.#tracing?.close();
  }
}
