import { QuotaExceededError } from '../../domain/organizations/errors.ts';
import type { Actor } from '../actor.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';
import type { OrganizationPolicies } from '../ports/runtime/organization-policies.ts';

/** How many jobs of an organization may wait. */
export interface PendingQuota {
  /**
   * Asks the database only where the organization has set a quota, and counts no further than that. Submissions at the
   * same moment do not see each other: together they may exceed it by what they bring.
   *
   * @throws {QuotaExceededError} when so many more would be too many
   */
  admit(jobs: Pick<ResultsRepositories['jobs'], 'countPending'>, more: number): Promise<void>;
}

export const pendingQuota = (
  policies: Pick<OrganizationPolicies, 'policyOf'>,
  { principal: { organizationId } }: Actor,
): PendingQuota => {
  const most = organizationId === null ? undefined : policies.policyOf(organizationId).maxPendingJobs;
  return {
    admit: async (jobs, more) => {
      if (most === undefined || more === 0) return;
      const room = most - more;
      if (room < 0 || (await jobs.countPending(room + 1)) > room)
        throw new QuotaExceededError('max_pending_jobs', most);
    },
  };
};
