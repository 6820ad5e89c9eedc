import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import {
  dayAfter,
  dayOf,
  daysIn,
  type DailyUsage,
  type Day,
  type DayRange,
} from '../../domain/usage/daily-usage.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import { getOrganization } from '../organizations/get-organization.ts';
import type { Ports } from '../ports/ports.ts';

const USUAL_DAYS = 30;
export const MAX_USAGE_DAYS = 366;

export interface OrganizationUsage extends DayRange {
  /** Those on which something was used. */
  readonly days: readonly DailyUsage[];
}

/**
 * What an organization has used, day by day in UTC. Without days it is the last thirty, today's among them.
 *
 * @throws {ValidationError} when the range is empty or longer than a leap year
 * @throws {OrganizationNotFoundError}
 */
export const showUsage =
  ({ usage, now, ...ports }: Pick<Ports, 'usage' | 'now' | 'metadata' | 'ledger'>) =>
  async (
    organizationId: OrganizationId,
    asked: { readonly from: Day | null; readonly to: Day | null },
  ): Promise<OrganizationUsage> => {
    const to = asked.to ?? dayOf(now());
    const range = { from: asked.from ?? dayAfter(to, 1 - USUAL_DAYS), to };
    const length = daysIn(range);
    if (length < 1 || length > MAX_USAGE_DAYS)
      throw new ValidationError([
        { path: 'from', message: `must be 0 to ${MAX_USAGE_DAYS - 1} days before "to"` },
      ]);
    const days = await usage.list(organizationId, range);
    if (days.length === 0) await getOrganization(ports)(organizationId);
    return { ...range, days };
  };
