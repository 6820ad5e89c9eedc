import { WorkerBenchedError } from '../../domain/jobs/errors.ts';
import type { ClaimedJob, JobClaim, Outlook } from '../../domain/jobs/job-attempt-repository.ts';
import { QuotaExceededError } from '../../domain/organizations/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { causedBy, type Actor } from '../actor.ts';
import { orAfter } from '../or-after.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';
import type { Ports } from '../ports/ports.ts';

export interface Claimed {
  readonly items: readonly ClaimedJob[];
  /** What else there is; null when the claim got as many jobs as it asked for. */
  readonly outlook: Outlook | null;
  /** When another claim makes sense. */
  readonly retryAfterSeconds: number;
}

/** The longest that a worker without work should stay away. */
const MAX_REST_SECONDS = 5;
/** A hint that is not settled costs somebody one more look. */
const SETTLE_DEADLINE_MS = 250;

/** The newest hint that brought the worker here. */
export interface SeenHint {
  readonly organizationId: OrganizationId;
  readonly version: number;
}

/**
 * Gives a worker jobs under leases, none when there are none. What it saw of further work settles the hint that brought the
 * worker; the claim stands when the metadata database is away. Decisions 0045 and 0048.
 *
 * @param hint null: the worker came by itself
 * @throws {WorkerBenchedError}
 * @throws {QuotaExceededError} when as many leases are held as may be
 */
export const claimJobs =
  ({ workHints }: Pick<Ports, 'workHints'>) =>
  async (
    database: ResultsDatabase,
    actor: Actor,
    claim: JobClaim,
    hint: SeenHint | null,
  ): Promise<Claimed> => {
    const { maxRunningJobs, engines, limit } = claim;
    const settle = async (seen: Outlook): Promise<void> => {
      if (hint === null) return;
      const { organizationId, version } = hint;
      await orAfter(
        SETTLE_DEADLINE_MS,
        workHints.settle(organizationId, { engines, version, ...seen }),
        undefined,
      );
    };
    const { claimed, benchedSeconds, room } = await (maxRunningJobs === null
      ? database.attempts.claim(claim, causedBy(actor))
      : database.transaction(async ({ attempts }) => {
          await attempts.lockClaims();
          return attempts.claim(claim, causedBy(actor));
        }));
    if (benchedSeconds !== null) throw new WorkerBenchedError(benchedSeconds);
    if (room === 0 && maxRunningJobs !== null) {
      await settle({ isWaiting: true, dueInSeconds: null });
      throw new QuotaExceededError('max_running_jobs', maxRunningJobs);
    }
    const outlook = claimed.length < limit ? await database.attempts.outlook(engines) : null;
    // What did not fit into this answer is to be had at once.
    if (outlook !== null && !(outlook.isWaiting && claimed.length > 0)) await settle(outlook);
    return { items: claimed, outlook, retryAfterSeconds: restAfter(claimed.length, outlook) };
  };

const restAfter = (claimed: number, outlook: Outlook | null): number => {
  if (outlook === null) return 0;
  // Waiting jobs that a claim passed over did not fit into its answer, or another claim holds them at this moment.
  if (outlook.isWaiting) return claimed > 0 ? 0 : 1;
  return Math.min(MAX_REST_SECONDS, Math.max(1, Math.ceil(outlook.dueInSeconds ?? MAX_REST_SECONDS)));
};
