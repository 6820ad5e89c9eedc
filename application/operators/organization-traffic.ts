import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { ObservedRequest } from '../ports/runtime/http-metrics.ts';
import type { Traffic, TrafficSnapshot } from '../ports/operators/process-ledger.ts';

interface Failing {
  code: string;
  failures: number;
  readonly firstAtMs: number;
  lastAtMs: number;
}

const SERVER_ERROR = 500;
const BUSIEST = 20;
/** Of which one process tells. */
const MAX_FAILING = 10;
/** An organization that does not ask any longer is no news. */
const FAILING_FOR_MS = 60_000;
/** So many failures in a row are an outage, or a minute of nothing else. One failed request is none. */
const OUTAGE_FAILURES = 20;
const OUTAGE_MS = 60_000;

/** Which organizations ask how much, and of which every request fails. It remembers those of the last minute alone. */
export class OrganizationTraffic implements Traffic {
  readonly #now: () => number;
  readonly #requests = new Map<OrganizationId, number>();
  readonly #failing = new Map<OrganizationId, Failing>();
  #total = 0;
  #since: number;

  /** @param now monotonic, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  /** For every request that has ended. */
  observe({ organizationId, status, code }: ObservedRequest): void {
    this.#total += 1;
    if (organizationId === undefined) return;
    this.#requests.set(organizationId, (this.#requests.get(organizationId) ?? 0) + 1);
    if (status < SERVER_ERROR) {
      if (this.#failing.size > 0) this.#failing.delete(organizationId);
      return;
    }
    const failing = this.#failing.get(organizationId);
    const now = this.#now();
    this.#failing.set(organizationId, {
      code: code ?? String(status),
      failures: (failing?.failures ?? 0) + 1,
      firstAtMs: failing?.firstAtMs ?? now,
      lastAtMs: now,
    });
  }

  /** Begins a new period. */
  take(): TrafficSnapshot {
    const now = this.#now();
    const seconds = Math.max(0.001, (now - this.#since) / 1000);
    const busiest = [...this.#requests]
      .toSorted(([, one], [, other]) => other - one)
      .slice(0, BUSIEST)
      .map(([organizationId, requests]) => ({ organizationId, requests }));
    for (const [organizationId, { lastAtMs }] of this.#failing)
      if (now - lastAtMs > FAILING_FOR_MS) this.#failing.delete(organizationId);
    const failing = [...this.#failing]
      .toSorted(([, one], [, other]) => other.failures - one.failures)
      .slice(0, MAX_FAILING)
      .map(([organizationId, { code, failures }]) => ({ organizationId, code, failures }));
    const outages = [...this.#failing]
      .filter(([, each]) => each.failures >= OUTAGE_FAILURES || each.lastAtMs - each.firstAtMs >= OUTAGE_MS)
      .map(([organizationId]) => organizationId);
    const snapshot = { seconds, requests: this.#total, busiest, failing, outages };
    this.#requests.clear();
    this.#total = 0;
    this.#since = now;
    return snapshot;
  }
}
