import { QuotaExceededError } from '../../domain/organizations/errors.ts';
import type { Actor } from '../actor.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';
import type { OrganizationPolicies } from '../ports/runtime/organization-policies.ts';

/** How many jobs of an organization may wait. */
export interface PendingQuota {
  /** Whether the organization has set one. */
  readonly isSet: boolean;
  /**
   * Asks the database only where a quota is set, and counts no further than that. Then it needs a transaction, which inserts
   * the jobs: others who count wait for its end.
   *
   * @throws {QuotaExceededError} when so many more would be too many
   */
  admit(jobs: Pick<ResultsRepositories['jobs'], 'countPending' | 'lockPending'>, more: number): Promise<void>;
}

export const pendingQuota = (
  policies: Pick<OrganizationPolicies, 'policyOf'>,
  { principal: { organizationId } }: Actor,
): PendingQuota => {
  const most = organizationId === null ? undefined : policies.policyOf(organizationId).maxPendingJobs;
  return {
    isSet: most !== undefined,
    admit: async (jobs, more) => {
      if (most === undefined || more === 0) return;
      const room = most - more;
      if (room < 0) throw new QuotaExceededError('max_pending_jobs', most);
      await jobs.lockPending();
      if ((await jobs.countPending(room + 1)) > room) throw new QuotaExceededError('max_pending_jobs', most);
    },
  };
};
