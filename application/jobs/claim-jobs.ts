import { WorkerBenchedError } from '../../domain/jobs/errors.ts';
import type { ClaimedJob, JobClaim, Outlook } from '../../domain/jobs/job-attempt-repository.ts';
import { QuotaExceededError } from '../../domain/organizations/errors.ts';
import { causedBy, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';

export interface Claimed {
  readonly items: readonly ClaimedJob[];
  /** What else there is; null when the claim got as many jobs as it asked for. */
  readonly outlook: Outlook | null;
  /** When another claim makes sense. */
  readonly retryAfterSeconds: number;
}

/** The longest that a worker without work should stay away. */
const MAX_REST_SECONDS = 5;

/**
 * Gives a worker jobs under leases, none when there are none. Decision 0045.
 *
 * @throws {WorkerBenchedError}
 * @throws {QuotaExceededError} when as many leases are held as may be
 */
export const claimJobs = async (
  database: ResultsDatabase,
  actor: Actor,
  claim: JobClaim,
): Promise<Claimed> => {
  const { maxRunningJobs, engines, limit } = claim;
  const { claimed, benchedSeconds, room } = await (maxRunningJobs === null
    ? database.attempts.claim(claim, causedBy(actor))
    : database.transaction(async ({ attempts }) => {
        await attempts.lockClaims();
        return attempts.claim(claim, causedBy(actor));
      }));
  if (benchedSeconds !== null) throw new WorkerBenchedError(benchedSeconds);
  if (room === 0 && maxRunningJobs !== null) throw new QuotaExceededError('max_running_jobs', maxRunningJobs);
  const outlook = claimed.length < limit ? await database.attempts.outlook(engines) : null;
  return { items: claimed, outlook, retryAfterSeconds: restAfter(claimed.length, outlook) };
};

const restAfter = (claimed: number, outlook: Outlook | null): number => {
  if (outlook === null) return 0;
  // Waiting jobs that a claim passed over did not fit into its answer, or another claim holds them at this moment.
  if (outlook.isWaiting) return claimed > 0 ? 0 : 1;
  return Math.min(MAX_REST_SECONDS, Math.max(1, Math.ceil(outlook.dueInSeconds ?? MAX_REST_SECONDS)));
};
