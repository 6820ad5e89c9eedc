import { readCarriedEntries, type CarriedEntry } from '../../domain/audit/carried-entry.ts';
import { OrganizationDatabaseNotFoundError } from '../../domain/databases/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { AuditBacklog } from '../ports/audit/audit-backlog.ts';
import type { OrganizationDatabases } from '../ports/databases/organization-databases.ts';
import type { Logger } from '../ports/runtime/logger.ts';

export interface RelayPorts {
  readonly databases: Pick<OrganizationDatabases, 'acquireExisting'>;
  readonly backlog: Pick<AuditBacklog, 'deliver'>;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Is told of entries that have arrived; must not throw. */
  readonly onDelivered?: (entries: readonly CarriedEntry[]) => void;
}

const BATCH = 200;

/**
 * Relays what an organization's outbox holds to the audit trail: each entry exactly once, though the process may die
 * anywhere on the way. An entry that was delivered is delivered again when its removal was not committed, and is known
 * by its id. A row that has no id of its own is no entry, and is left out. A database that was put aside keeps what its outbox
 * holds. Safe to call concurrently, in several processes.
 *
 * @returns how many there were
 */
export const relayOutbox =
  ({ databases, backlog, logger, now, onDelivered = () => undefined }: RelayPorts) =>
  async (organizationId: OrganizationId): Promise<number> => {
    const lease = await databases.acquireExisting(organizationId).catch(nullWithoutDatabase);
    if (lease === null) return 0;
    try {
      for (let relayed = 0; ;) {
        const { taken, arrived } = await lease.database.transaction(async ({ auditOutbox }) => {
          const { count, rows } = await auditOutbox.take(BATCH);
          const entries = readCarriedEntries(rows, now());
          if (entries.length < count) {
            const fields = { org_id: organizationId, rows: count - entries.length };
            logger.write('outbox.rows_ignored', fields);
          }
          if (entries.length > 0) await backlog.deliver(organizationId, entries);
          return { taken: count, arrived: entries };
        });
        onDelivered(arrived);
        relayed += taken;
        if (taken < BATCH) return relayed;
      }
    } finally {
      lease.release();
    }
  };

const nullWithoutDatabase = (error: unknown): null => {
  if (error instanceof OrganizationDatabaseNotFoundError) return null;
  throw error;
};
