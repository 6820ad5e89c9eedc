import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { WorkHint, WorkLook } from '../../../domain/work/work-hint.ts';

/** Whose hints somebody may see: those of one organization, or of all that have admitted a fleet. */
export type HintReach = { readonly organizationId: OrganizationId } | { readonly fleetId: string };

/**
 * Hints at where work is, in the metadata database: no organization's own database is opened to look for it. The relay of
 * audit entries sets them (`AuditBacklog.deliver`). Decision 0048.
 */
export interface WorkHints {
  /**
   * Those that are due, of organizations that are not suspended: first of whoever got least for its weight, then the longest
   * waiting. What is given to one caller is put off for a moment, the shorter the more jobs wait, so that idle workers do
   * not all look into one database. Of concurrent callers each gets hints that the others do not get.
   *
   * @param query.engines null: of every engine
   */
  take(
    reach: HintReach,
    query: { readonly engines: readonly string[] | null; readonly limit: number },
  ): Promise<readonly WorkHint[]>;
  /**
   * Records what was found by somebody who had seen a version before they looked. A hint that was set anew since then stays
   * as it is: the look may not have seen what it tells of. Of the others, those that told of nothing are deleted.
   */
  settle(organizationId: OrganizationId, look: WorkLook): Promise<void>;
}
