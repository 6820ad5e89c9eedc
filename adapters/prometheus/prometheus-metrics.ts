import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HttpMetrics, ObservedRequest } from '../../application/ports/runtime/http-metrics.ts';

export interface PrometheusMetricsOptions {
  /** Memory, CPU, event loop and garbage collection of the process; off by default. */
  readonly processMetrics?: boolean;
}

/** One value of a metric, under its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface SnapshotMetric {
  /** Without the prefix `mad_`. */
  readonly name: string;
  readonly help: string;
  /** Closed sets of values only; an organization is never one. */
  readonly labels?: readonly string[];
  /** Read at each scrape: has to return what is known already, in constant time. */
  readonly read: () => number | readonly Sample[];
}

const PREFIX = 'mad_';
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The service's metrics, in a registry of their own. */
export class PrometheusMetrics implements HttpMetrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #provisionings: Histogram<'path'>;

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
      labelNames: ['path'],
      buckets: SECONDS,
      registers: [this.#registry],
    });
    if (processMetrics) collectDefaultMetrics({ register: this.#registry, prefix: PREFIX });
  }

  observe({ method, route, status, seconds }: ObservedRequest): void {
    this.#requests.observe({ method, route, status: String(status) }, seconds);
  }

  /** @param path how it was done, of a closed set */
  observeProvisioning(path: string, seconds: number): void {
    this.#provisionings.observe({ path }, seconds);
  }

  /** A value that goes up and down. @throws when the name is taken */
  registerGauge({ name, help, labels = [], read }: SnapshotMetric): void {
    // The registry keeps it.
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

  /** A value that only grows, counted elsewhere; its name ends in `_total`. @throws when the name is taken */
  registerCounter({ name, help, labels = [], read }: SnapshotMetric): void {
    // The registry keeps it.
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
