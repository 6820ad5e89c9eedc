import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { AuditBacklog } from '../ports/audit/audit-backlog.ts';
import type { OrganizationDatabases } from '../ports/databases/organization-databases.ts';

const BATCH = 200;

/**
 * Carries what an organization's outbox holds into the audit trail: each entry exactly once, though the process may die
 * anywhere on the way. What is delivered before its removal is committed may be delivered again, and is known by its id.
 * Safe to call concurrently, in several processes.
 *
 * @returns how many there were
 */
export const relayOutbox = async (
  databases: Pick<OrganizationDatabases, 'acquire'>,
  backlog: AuditBacklog,
  organizationId: OrganizationId,
): Promise<number> => {
  const lease = await databases.acquire(organizationId);
  try {
    for (let carried = 0; ;) {
      const taken = await lease.database.transaction(async ({ auditOutbox }) => {
        const { count, entries } = await auditOutbox.take(BATCH);
        if (count > 0) await backlog.deliver(organizationId, entries);
        return count;
      });
      carried += taken;
      if (taken < BATCH) return carried;
    }
  } finally {
    lease.release();
  }
};
