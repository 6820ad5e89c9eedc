import type { UsageBatch, UsageLedger } from '../../../application/ports/usage/usage-ledger.ts';
import type { CarriedEntry } from '../../../domain/audit/carried-entry.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { DailyUsage, DayRange } from '../../../domain/usage/daily-usage.ts';
import { workUsageOf } from '../../../domain/usage/work-usage.ts';
import type { FakeMetadata } from './fake-metadata.ts';

const NOTHING: Omit<DailyUsage, 'day'> = {
  requests: 0,
  refusals: 0,
  dbMs: 0,
  egressBytes: 0,
  jobs: 0,
  coreSeconds: 0,
  storedBytes: null,
};

/** What organizations use, in memory. */
export class FakeUsage implements UsageLedger {
  readonly #metadata: Pick<FakeMetadata, 'organizations'>;
  readonly #days = new Map<OrganizationId, Map<string, DailyUsage>>();
  readonly #written = new Map<string, number>();
  readonly #delivered = new Set<string>();

  constructor(metadata: Pick<FakeMetadata, 'organizations'>) {
    this.#metadata = metadata;
  }

  async add(writer: string, { number, counted }: UsageBatch): Promise<void> {
    if (number <= (this.#written.get(writer) ?? 0)) return;
    this.#written.set(writer, number);
    for (const { organizationId, ...used } of counted)
      if ((await this.#metadata.organizations.find(organizationId)) !== null)
        this.#put(organizationId, { ...NOTHING, ...used });
  }

  async list(organizationId: OrganizationId, { from, to }: DayRange): Promise<readonly DailyUsage[]> {
    return [...(this.#days.get(organizationId)?.values() ?? [])]
      .filter(({ day }) => day >= from && day <= to)
      .toSorted((one, other) => (one.day < other.day ? -1 : 1));
  }

  /** As the relay of audit entries does it. */
  deliver(organizationId: OrganizationId, entries: readonly CarriedEntry[]): void {
    for (const entry of entries) {
      if (this.#delivered.has(entry.auditId)) continue;
      this.#delivered.add(entry.auditId);
      const used = workUsageOf(entry);
      if (used !== null) this.#put(organizationId, { ...NOTHING, ...used });
    }
  }

  #put(organizationId: OrganizationId, used: DailyUsage): void {
    const days = this.#days.get(organizationId) ?? new Map<string, DailyUsage>();
    this.#days.set(organizationId, days);
    const before = days.get(used.day) ?? { ...NOTHING, day: used.day };
    days.set(used.day, {
      day: used.day,
      requests: before.requests + used.requests,
      refusals: before.refusals + used.refusals,
      dbMs: before.dbMs + used.dbMs,
      egressBytes: before.egressBytes + used.egressBytes,
      jobs: before.jobs + used.jobs,
      coreSeconds: before.coreSeconds + used.coreSeconds,
      storedBytes:
        used.storedBytes === null ? before.storedBytes : Math.max(before.storedBytes ?? 0, used.storedBytes),
    });
  }
}
