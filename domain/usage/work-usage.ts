import type { CarriedEntry } from '../audit/carried-entry.ts';
import { dayOf, type DailyUsage } from './daily-usage.ts';

/** Of a batch at most. */
const MAX_JOBS = 1000;
/** A month on a thousand cores. */
const MAX_CORE_SECONDS = 31 * 24 * 3600 * 1000;

/**
 * What an entry of the audit trail tells of jobs that were submitted, and of attempts that were handed in; null: nothing. It
 * comes from the outbox of an organization, whose SQL role can write there: what is not of the right form tells nothing.
 */
export const workUsageOf = ({
  action,
  details,
  at,
}: CarriedEntry): Pick<DailyUsage, 'day' | 'jobs' | 'coreSeconds'> | null => {
  const day = dayOf(at.getTime());
  switch (action) {
    case 'job.submitted':
      return { day, jobs: 1, coreSeconds: 0 };
    case 'job_batch.submitted': {
      const jobs = readNumber(details['jobs'], MAX_JOBS);
      return jobs !== null && Number.isInteger(jobs) ? { day, jobs, coreSeconds: 0 } : null;
    }
    case 'job.completed':
    case 'job.failed':
    case 'job.released': {
      const coreSeconds = readNumber(details['core_seconds'], MAX_CORE_SECONDS);
      return coreSeconds === null ? null : { day, jobs: 0, coreSeconds };
    }
    default:
      return null;
  }
};

const readNumber = (value: unknown, max: number): number | null =>
  typeof value === 'number' && value > 0 && value <= max ? value : null;
