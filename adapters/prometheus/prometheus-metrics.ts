import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DatabaseMetrics } from '../../application/ports/runtime/database-metrics.ts';
import {
  ANSWER_CUTS,
  type HttpMetrics,
  type ObservedRequest,
} from '../../application/ports/runtime/http-metrics.ts';
import { DurationHistogram, type DurationSeries } from './duration-histogram.ts';
import { processMetrics } from './process-metrics.ts';

export interface PrometheusMetricsOptions {
  /** Whether to add the process's memory, CPU, event loop and garbage collection. Default: no. */
  readonly ofProcess?: boolean;
  /** Every code that an answer can have, so that each is counted from 0. Default: none. */
  readonly errorCodes?: readonly string[];
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
/** From a second to a day. */
const LONG_SECONDS = [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

/** The service's metrics. Each instance has a separate registry. */
export class PrometheusMetrics implements HttpMetrics {
  readonly #registry = new Registry();
  readonly #scraped: readonly Registry[];
  readonly #requests: DurationHistogram<'method' | 'route' | 'status'>;
  readonly #ofRequests = new Map<string, DurationSeries>();
  readonly #cuts: Counter<'reason'>;
  readonly #refusals: Counter<'code'>;
  readonly #provisionings: Histogram<'path' | 'server'>;
  readonly #waits: DurationHistogram<'server'>;
  readonly #queries: DurationHistogram<'server' | 'outcome'>;
  readonly #leases: DurationHistogram<'server'>;
  readonly #jobWaits: Histogram<'engine'>;
  readonly #ofDatabases = new Map<string, DatabaseMetrics>();

  constructor({ ofProcess = false, errorCodes = [] }: PrometheusMetricsOptions = {}) {
    this.#scraped = ofProcess ? [processMetrics(), this.#registry] : [this.#registry];
    this.#requests = this.#durations(
      'http_request_duration_seconds',
      'Time from the request to the end of its answer',
    );
    this.#refusals = new Counter({
      name: `${PREFIX}refusals_total`,
      help: 'Requests that were answered with an error, by its code',
      labelNames: ['code'],
      registers: [this.#registry],
    });
    for (const code of errorCodes) this.#refusals.inc({ code }, 0);
    this.#cuts = new Counter({
      name: `${PREFIX}http_answers_cut_total`,
      help: 'Answers that were ended in the middle: the client took nothing for too long, or not all in time',
      labelNames: ['reason'],
      registers: [this.#registry],
    });
    for (const reason of ANSWER_CUTS) this.#cuts.inc({ reason }, 0);
    this.#provisionings = this.#histogram(
      'provisioning_duration_seconds',
      'Time to give an organization its database, by how it was done',
      ['path', 'server'],
      SECONDS,
    );
    this.#waits = this.#durations(
      'connection_acquire_duration_seconds',
      'Time that a statement or a transaction waited for a connection, also in vain',
    );
    this.#queries = this.#durations(
      'query_duration_seconds',
      'Time from a statement to the end of its answer, without the wait for a connection; alike for those sent together',
    );
    this.#leases = this.#durations(
      'results_lease_duration_seconds',
      "Time that a request held its organization's pool",
    );
    this.#jobWaits = this.#histogram(
      'job_wait_seconds',
      'Time from the submission of a job to the first worker that took it',
      ['engine'],
      LONG_SECONDS,
    );
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: readonly number[],
  ): Histogram<Label> {
    return new Histogram({
      name: `${PREFIX}${name}`,
      help,
      labelNames,
      buckets: [...buckets],
      registers: [this.#registry],
    });
  }

  #durations<Label extends string>(name: string, help: string): DurationHistogram<Label> {
    return new DurationHistogram({
      name: `${PREFIX}${name}`,
      help,
      buckets: SECONDS,
      registry: this.#registry,
    });
  }

  observe({ method, route, status, seconds, cut, code }: ObservedRequest): void {
    if (cut !== undefined) this.#cuts.inc({ reason: cut });
    if (code !== undefined) this.#refusals.inc({ code });
    const key = `${method} ${status} ${route}`;
    let series = this.#ofRequests.get(key);
    if (series === undefined) {
      series = this.#requests.addSeries({ method, route, status: String(status) });
      this.#ofRequests.set(key, series);
    }
    series.observe(seconds);
  }

  /** @param path the way in which the database was provided, from a fixed set */
  observeProvisioning(path: string, server: string, seconds: number): void {
    this.#provisionings.observe({ path, server }, seconds);
  }

  /** @param server its id, or `metadata` */
  ofDatabases(server: string): DatabaseMetrics {
    const known = this.#ofDatabases.get(server);
    if (known !== undefined) return known;
    const waits = this.#waits.addSeries({ server });
    const leases = this.#leases.addSeries({ server });
    const queries = {
      ok: this.#queries.addSeries({ server, outcome: 'ok' }),
      error: this.#queries.addSeries({ server, outcome: 'error' }),
    };
    const made: DatabaseMetrics = {
      waited: (seconds) => waits.observe(seconds),
      queried: (seconds, outcome) => queries[outcome].observe(seconds),
      leased: (seconds) => leases.observe(seconds),
    };
    this.#ofDatabases.set(server, made);
    return made;
  }

  /** @param engine from a fixed set */
  observeJobWait(engine: string, seconds: number): void {
    this.#jobWaits.observe({ engine }, seconds);
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
    const scraped = Registry.merge([...this.#scraped]);
    return { contentType: scraped.contentType, body: await scraped.metrics() };
  }
}

const toSamples = (value: number | readonly Sample[]): readonly Sample[] =>
  typeof value === 'number' ? [{ labels: {}, value }] : value;
