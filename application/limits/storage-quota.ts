import { StorageQuotaExceededError } from '../../domain/organizations/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';
import type { OrganizationPolicies } from '../ports/runtime/organization-policies.ts';

export interface StorageQuotaDeps {
  readonly policies: Pick<OrganizationPolicies, 'policyOf'>;
  /** The most of any organization; its own settings may ask for less. */
  readonly maxBytes: number;
  readonly onMeasured?: (organizationId: OrganizationId, bytes: number) => void;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

/** What this process knows of one database. */
interface Gauge {
  /** Null: never measured. */
  measuredBytes: number | null;
  measuredAt: number;
  /** Sent to this process since then. */
  addedBytes: number;
  isMeasuring: boolean;
}

const MEASURE_EVERY_MS = 60_000;
const MEASURE_EVERY_BYTES = 16 * 1024 * 1024;
/** The first requests of most organizations are small. They need not wait for a measurement. */
const FREE_BYTES = 1024 * 1024;
const MAX_ORGANIZATIONS = 10_000;

/**
 * Keeps each organization's database below its quota. The database tells its size through the lease of a request that
 * writes, once a minute or every 16 MiB: no dormant database is opened, and most writes ask nothing. Decision 0035.
 */
export class StorageQuota {
  readonly #deps: StorageQuotaDeps;
  readonly #gauges = new Map<OrganizationId, Gauge>();

  constructor(deps: StorageQuotaDeps) {
    this.#deps = deps;
  }

  /** Counts bytes that will be written. @throws {StorageQuotaExceededError} when the database is full already */
  async admit(
    organizationId: OrganizationId,
    database: Pick<ResultsDatabase, 'storageBytes'>,
    bytes: number,
  ): Promise<void> {
    const own = this.#deps.policies.policyOf(organizationId).maxStorageBytes;
    const gauge = this.#gaugeOf(organizationId);
    if (this.#isDue(gauge, bytes, own)) {
      await this.#measure(gauge, database);
      this.#deps.onMeasured?.(organizationId, gauge.measuredBytes ?? 0);
    }
    const limit = Math.min(own ?? Infinity, this.#deps.maxBytes);
    if ((gauge.measuredBytes ?? 0) + gauge.addedBytes + bytes > limit)
      throw new StorageQuotaExceededError(limit);
    gauge.addedBytes += bytes;
  }

  #gaugeOf(organizationId: OrganizationId): Gauge {
    const known = this.#gauges.get(organizationId);
    const gauge = known ?? { measuredBytes: null, measuredAt: -Infinity, addedBytes: 0, isMeasuring: false };
    this.#gauges.delete(organizationId);
    this.#gauges.set(organizationId, gauge);
    const [oldest] = this.#gauges.keys();
    if (this.#gauges.size > MAX_ORGANIZATIONS && oldest !== undefined) this.#gauges.delete(oldest);
    return gauge;
  }

  /** @param own the quota that the organization set itself: it holds from the first byte on */
  #isDue(gauge: Gauge, bytes: number, own: number | undefined): boolean {
    const { measuredBytes, measuredAt, addedBytes, isMeasuring } = gauge;
    if (measuredBytes === null) return own !== undefined || addedBytes + bytes > FREE_BYTES;
    if (isMeasuring) return false;
    return addedBytes > MEASURE_EVERY_BYTES || this.#now() - measuredAt > MEASURE_EVERY_MS;
  }

  async #measure(gauge: Gauge, database: Pick<ResultsDatabase, 'storageBytes'>): Promise<void> {
    gauge.isMeasuring = true;
    const countedBefore = gauge.addedBytes;
    try {
      gauge.measuredBytes = await database.storageBytes();
      gauge.measuredAt = this.#now();
      // What came meanwhile may be part of the measured size already: it is counted all the same.
      // Two first measurements may run side by side, and each would take off the same.
      gauge.addedBytes = Math.max(0, gauge.addedBytes - countedBefore);
    } finally {
      gauge.isMeasuring = false;
    }
  }

  #now(): number {
    return this.#deps.now?.() ?? performance.now();
  }
}
