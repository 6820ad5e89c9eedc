import { hasAnyRole } from '../../domain/identity/principal.ts';
import type { Cancellation } from '../../domain/jobs/job-attempt-repository.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';

/** Of one transaction: their locks are held while it lasts. */
const BATCH = 5000;

/**
 * Cancels jobs that wait or run: an administrator everybody's, anyone else their own. Others are passed over. Each batch of a
 * large campaign is canceled whole.
 *
 * @returns how many
 */
export const cancelJobs = async (
  database: ResultsDatabase,
  actor: Actor,
  wanted: Omit<Cancellation, 'submittedBy'>,
): Promise<number> => {
  const { principal } = actor;
  const submittedBy = hasAnyRole(principal, ['org_admin']) ? null : principal.userId;
  const { campaignId } = wanted;
  const note = noteOf(actor, 'job.canceled', {
    status: 'CANCELED',
    ...(campaignId !== null && { campaign_id: campaignId }),
  });
  for (let canceled = 0; ;) {
    const batch = await database.transaction(({ attempts }) =>
      attempts.cancel({ ...wanted, submittedBy }, BATCH, note),
    );
    canceled += batch;
    if (batch < BATCH) return canceled;
  }
};
