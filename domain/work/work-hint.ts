import type { CarriedEntry } from '../audit/carried-entry.ts';
import type { OrganizationId } from '../organizations/organization-id.ts';

/** A hint that an organization has work for one engine. It says where to look, and promises nothing. Decision 0048. */
export interface WorkHint {
  readonly organizationId: OrganizationId;
  readonly engine: string;
  /** About how many jobs wait. */
  readonly waiting: number;
  /** When the first of them began to wait, or earlier; null when none is known to wait. */
  readonly oldestAt: Date | null;
  /** Rises with everything that sets a hint, over all organizations. Whoever looks and finds nothing brings it back. */
  readonly version: number;
}

/** What somebody found who looked for jobs in an organization's database. */
export interface WorkLook {
  readonly engines: readonly string[];
  /** Of the newest hint that was known before the look. */
  readonly version: number;
  /** Whether a job waits, also one that another claim has locked: that claim may roll back. */
  readonly isWaiting: boolean;
  /** In how many seconds a lease may lapse, or a delay ends; null when there is neither. */
  readonly dueInSeconds: number | null;
}

/** What an entry of the audit trail tells of work for one engine. */
export interface WorkNews {
  readonly engine: string;
  /** Jobs that began to wait; less than none where jobs were handed out. */
  readonly waiting: number;
  /** Jobs that were handed out. */
  readonly served: number;
  /** When they began to wait; null where none did. */
  readonly since: Date | null;
  /** When there is something to be claimed: at once, after a delay, or when a lease lapses. */
  readonly dueAt: Date;
}

const ENGINE = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;
const MAX_JOBS = 1000;
const MAX_ENGINES = 50;
const MAX_AWAY_MS = 31 * 24 * 60 * 60_000;
/** Where an entry does not say when its leases end. */
const USUAL_LEASE_MS = 120_000;

/**
 * What an entry tells of work. It comes from the outbox of an organization, whose SQL role can write there: what is not of
 * the right form tells nothing, and no number or time is one that PostgreSQL would refuse.
 */
export const workNewsOf = ({ action, details, at }: CarriedEntry): readonly WorkNews[] => {
  const began = (count: unknown): readonly WorkNews[] => {
    const [engine, waiting] = [readEngine(details['engine']), readCount(count)];
    if (engine === null || waiting === null) return [];
    return [{ engine, waiting, served: 0, since: at, dueAt: readMoment(details['not_before'], at) ?? at }];
  };
  switch (action) {
    case 'job.submitted':
    case 'job.released':
    case 'job.failed':
      return details['status'] === 'PENDING' ? began(1) : [];
    case 'job_batch.submitted':
      return began(details['waiting']);
    case 'job.claimed': {
      const dueAt = readMoment(details['lease_expires_at'], at) ?? new Date(at.getTime() + USUAL_LEASE_MS);
      return handedOut(details['engines'], dueAt);
    }
    default:
      return [];
  }
};

const handedOut = (engines: unknown, dueAt: Date): readonly WorkNews[] => {
  if (typeof engines !== 'object' || engines === null) return [];
  return Object.entries(engines)
    .slice(0, MAX_ENGINES)
    .flatMap(([name, count]) => {
      const [engine, served] = [readEngine(name), readCount(count)];
      if (engine === null || served === null) return [];
      return [{ engine, waiting: -served, served, since: null, dueAt }];
    });
};

const readEngine = (value: unknown): string | null =>
  typeof value === 'string' && ENGINE.test(value) ? value : null;

const readCount = (value: unknown): number | null =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) <= MAX_JOBS ? Number(value) : null;

const readMoment = (value: unknown, at: Date): Date | null => {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Math.abs(time - at.getTime()) <= MAX_AWAY_MS ? new Date(time) : null;
};
