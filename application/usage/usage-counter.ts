import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { dayOf, endOfDay, isRefusal, type CountedUsage } from '../../domain/usage/daily-usage.ts';
import type { ObservedRequest } from '../ports/runtime/http-metrics.ts';
import type { UsageBatch, UsageBatches } from '../ports/usage/usage-ledger.ts';

type Counts = { -readonly [Key in keyof Omit<CountedUsage, 'day'>]: CountedUsage[Key] };
type Counted = UsageBatch['counted'][number];

/** Of one statement, which a server that was away for long, or that has many organizations, would not do in its time. */
export const BATCH_ROWS = 5000;

/**
 * Counts in memory what organizations use. What is counted leaves in batches: a batch stays the same until it is known to be
 * written, and what comes meanwhile is for the next one. Decision 0058.
 */
export class UsageCounter implements UsageBatches {
  readonly #now: () => number;
  #counts = new Map<OrganizationId, Counts>();
  #dayEndsAt: number;
  /** What is to be written, in parts. Each is of one day and names an organization once: a statement adds to a row once. */
  readonly #parts: (readonly Counted[])[] = [];
  #batch: UsageBatch | null = null;
  #number = 0;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#dayEndsAt = endOfDay(now());
  }

  /** For every request that has ended. */
  observe({ usage, status, code }: ObservedRequest): void {
    if (usage === undefined) return;
    const counts = this.#of(usage.organizationId);
    counts.requests += 1;
    if (status >= 400 && isRefusal(status, code)) counts.refusals += 1;
    counts.dbMs += usage.dbMs;
    counts.egressBytes += usage.egressBytes;
  }

  /** The size of an organization's database was measured. */
  noteStored(organizationId: OrganizationId, bytes: number): void {
    const counts = this.#of(organizationId);
    counts.storedBytes = Math.max(counts.storedBytes ?? 0, bytes);
  }

  get isBehind(): boolean {
    return this.#batch !== null || this.#parts.length > 0;
  }

  batch(): UsageBatch | null {
    if (this.#batch !== null) return this.#batch;
    if (this.#parts.length === 0) this.#putDown();
    const counted = this.#parts.shift();
    if (counted === undefined) return null;
    this.#number += 1;
    this.#batch = { number: this.#number, counted };
    return this.#batch;
  }

  written(): void {
    this.#batch = null;
  }

  #of(organizationId: OrganizationId): Counts {
    if (this.#now() >= this.#dayEndsAt) this.#putDown();
    const known = this.#counts.get(organizationId);
    if (known !== undefined) return known;
    const counts: Counts = { requests: 0, refusals: 0, dbMs: 0, egressBytes: 0, storedBytes: null };
    this.#counts.set(organizationId, counts);
    return counts;
  }

  /** What was counted so far is to be written, under the day on which it was. */
  #putDown(): void {
    const day = dayOf(this.#dayEndsAt - 1);
    const counted = Array.from(this.#counts, ([organizationId, counts]) => ({
      organizationId,
      day,
      ...counts,
    }));
    for (let at = 0; at < counted.length; at += BATCH_ROWS)
      this.#parts.push(counted.slice(at, at + BATCH_ROWS));
    this.#counts = new Map();
    this.#dayEndsAt = endOfDay(this.#now());
  }
}
