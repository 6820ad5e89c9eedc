import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { CountedUsage, DailyUsage, DayRange } from '../../../domain/usage/daily-usage.ts';

/** What a process has counted since its batch before. */
export interface UsageBatch {
  /** Rises from each batch of a process to its next. */
  readonly number: number;
  readonly counted: readonly (CountedUsage & { readonly organizationId: OrganizationId })[];
}

/** Where what this process counts comes from. */
export interface UsageBatches {
  /** Whether the batch before is not known to be written, or more is to follow it that was counted before. */
  readonly isBehind: boolean;
  /** What is to be written next: the batch before while it is not known to be written; null when nothing was counted. */
  batch(): UsageBatch | null;
  /** The batch is written. */
  written(): void;
}

/** What organizations use, by days. Several processes add to the same days. Decision 0058. */
export interface UsageLedger {
  /**
   * Adds a batch once: when it is sent again, as its answer was lost, it changes nothing. What is counted for
   * organizations that do not exist is left out. A batch names an organization once for a day.
   *
   * @param writer the process
   */
  add(writer: string, batch: UsageBatch): Promise<void>;
  /** Days on which nothing was used are left out; the earliest comes first. */
  list(organizationId: OrganizationId, range: DayRange): Promise<readonly DailyUsage[]>;
}
