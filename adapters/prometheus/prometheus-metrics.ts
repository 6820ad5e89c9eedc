import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HttpMetrics, ObservedRequest } from '../../application/ports/runtime/http-metrics.ts';

export interface PrometheusMetricsOptions {
  /** Whether to add the process's memory, CPU, event loop and garbage collection. Default: no. */
  readonly processMetrics?: boolean;
}

/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface SnapshotMetric {
  /** The name without the prefix `mad_`. */
  readonly name: string;
  readonly help: string;
  /** Label names. Each needs a small, fixed set of values, so an organization is never a label. */
  readonly labels?: readonly string[];
  /** Is called at each scrape. It must be synchronous and take constant time. */
  readonly read: () => number | readonly Sample[];
}

const PREFIX = 'mad_';
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The service's metrics. Each instance has a separate registry. */
export class PrometheusMetrics implements HttpMetrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #provisionings: Histogram<'path' | 'server'>;

  constructor({ processMetrics = false }: PrometheusMetricsOptions = {}) {
    this.#requests = new Histogram({
      name: `${PREFIX}http_request_duration_seconds`,
      help: 'Time from the request to the end of its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers: [this.#registry],
    });
    this.#provisionings = new Histogram({
      name: `${PREFIX}provisioning_duration_seconds`,
      help: 'Time to give an organization its database, by how it was done',
      labelNames: ['path', 'server'],
      buckets: SECONDS,
      registers: [this.#registry],
    });
    if (processMetrics) this.#collectProcessMetrics();
  }

  /** Under the names that stock dashboards look for. */
  #collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.#registry });
    // Gauges, which must not end like counters. `nodejs_active_resources` has the same numbers, by their type.
    for (const kind of ['handles', 'requests', 'resources'])
      this.#registry.removeSingleMetric(`nodejs_active_${kind}_total`);
  }

  observe({ method, route, status, seconds }: ObservedRequest): void {
    this.#requests.observe({ method, route, status: String(status) }, seconds);
  }

  /** @param path the way in which the database was provided, from a fixed set */
  observeProvisioning(path: string, server: string, seconds: number): void {
    this.#provisionings.observe({ path, server }, seconds);
  }

  /**
   * Registers a value that can rise and fall.
   *
   * @throws {Error} when the name is taken
   */
  registerGauge({ name, help, labels = [], read }: SnapshotMetric): void {
    // Its constructor adds it to the registry.
    void new Gauge({
      name: `${PREFIX}${name}`,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const sample of toSamples(read())) this.set(sample.labels, sample.value);
      },
    });
  }

  /**
   * Registers a count that only rises; `read` returns the total. Its name must end in `_total`.
   *
   * @throws {Error} when the name is taken
   */
  registerCounter({ name, help, labels = [], read }: SnapshotMetric): void {
    // Its constructor adds it to the registry.
    void new Counter({
      name: `${PREFIX}${name}`,
      help,
      labelNames: labels,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const sample of toSamples(read())) this.inc(sample.labels, sample.value);
      },
    });
  }

  async renderMetrics(): Promise<{ readonly contentType: string; readonly body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}

const toSamples = (value: number | readonly Sample[]): readonly Sample[] =>
  typeof value === 'number' ? [{ labels: {}, value }] : value;
