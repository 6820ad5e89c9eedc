import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** Refusals of one caller that get an entry each within a minute; the others are counted into a single one. */
const MAX_ENTRIES = 30;
const WINDOW_MS = 60_000;
/** Callers counted at once. They all hold valid tokens, so there are not that many. */
const MAX_CALLERS = 10_000;

/** One refused attempt on another organization. */
export interface DeniedAttempt {
  /** The organization asked for. */
  readonly asked: string;
  readonly source: 'path' | 'header' | 'body';
  readonly route: string;
}

/** Refusals of one caller that got no entry of their own. */
export interface DeniedAccessSummary {
  readonly userId: string;
  readonly organizationId: OrganizationId | null;
  readonly refusals: number;
  readonly last: DeniedAttempt;
  /** When the first refusal of the minute was, listed or not. */
  readonly since: Date;
}

interface Window {
  readonly userId: string;
  readonly organizationId: OrganizationId | null;
  /** Milliseconds since 1970. */
  readonly since: number;
  refusals: number;
  last: DeniedAttempt;
}

/**
 * Counts the refusals of each caller, a minute at a time, in the memory of this process: a count in the metadata
 * database would let a refused caller write there at will, which the count is to prevent.
 */
export class DeniedAccessWindows {
  /** The oldest come first. */
  readonly #windows = new Map<string, Window>();

  /** Counts one refusal. @returns whether it gets an entry of its own */
  count(
    { userId, organizationId }: Pick<Window, 'userId' | 'organizationId'>,
    last: DeniedAttempt,
    now: number,
  ): boolean {
    const key = `${organizationId ?? ''}\n${userId}`;
    const window = this.#windows.get(key);
    if (window === undefined) {
      this.#windows.set(key, { userId, organizationId, since: now, refusals: 1, last });
      return true;
    }
    window.refusals += 1;
    window.last = last;
    return window.refusals <= MAX_ENTRIES;
  }

  /**
   * Takes out the minutes that are over, and the oldest beyond the most callers; with `all` every one.
   *
   * @returns those that counted more than they listed
   */
  take(now: number, { all }: { readonly all: boolean }): readonly DeniedAccessSummary[] {
    const summaries: DeniedAccessSummary[] = [];
    for (const [key, { refusals, since, ...caller }] of this.#windows) {
      if (!all && this.#windows.size <= MAX_CALLERS && now - since < WINDOW_MS) break;
      this.#windows.delete(key);
      if (refusals <= MAX_ENTRIES) continue;
      summaries.push({ ...caller, refusals: refusals - MAX_ENTRIES, since: new Date(since) });
    }
    return summaries;
  }
}
