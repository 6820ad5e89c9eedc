/** A day in UTC, as `2026-11-30`. */
export type Day = string;

/** What an organization has used on one day. Decision 0058. */
export interface DailyUsage {
  readonly day: Day;
  /** Requests about the organization that have ended, by whoever made them. */
  readonly requests: number;
  /** Those of them that a limit refused, or a database that was away. */
  readonly refusals: number;
  /** How long its requests held connections to its database. */
  readonly dbMs: number;
  /** Bytes of answers, with their heads, as they were sent. */
  readonly egressBytes: number;
  /** Jobs that were submitted. */
  readonly jobs: number;
  /** What the attempts that workers handed in have cost. */
  readonly coreSeconds: number;
  /** The most that was measured of its database, without files; null when it was not measured that day. */
  readonly storedBytes: number | null;
}

/** What a process counts by itself. The rest is in entries of the audit trail. */
export type CountedUsage = Omit<DailyUsage, 'jobs' | 'coreSeconds'>;

/** Both days are in it. */
export interface DayRange {
  readonly from: Day;
  readonly to: Day;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** @param ms milliseconds since 1970 */
export const dayOf = (ms: number): Day => new Date(ms).toISOString().slice(0, 10);

/** In milliseconds since 1970. */
export const endOfDay = (ms: number): number => (Math.floor(ms / DAY_MS) + 1) * DAY_MS;

/** The day that is so many days after the other. */
export const dayAfter = (day: Day, days: number): Day => dayOf(Date.parse(day) + days * DAY_MS);

/** How many days it has; none or less when it ends before it begins. */
export const daysIn = ({ from, to }: DayRange): number => (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;

const REFUSALS: ReadonlySet<number> = new Set([429, 503]);

/** Whether a limit refused a request, or a database was away. */
export const isRefusal = (status: number, code: string | undefined): boolean =>
  REFUSALS.has(status) || code === 'storage_quota_exceeded';
