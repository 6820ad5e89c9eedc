import { readCarriedEntries, type CarriedEntry } from '../../domain/audit/carried-entry.ts';
import { OrganizationDatabaseNotFoundError } from '../../domain/databases/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { AuditBacklog } from '../ports/audit/audit-backlog.ts';
import type { OrganizationDatabases } from '../ports/databases/organization-databases.ts';
import type { StatementLimits } from '../ports/databases/results-database.ts';
import type { Logger } from '../ports/runtime/logger.ts';

/** What one organization may have of the relay at a time, whatever its settings allow and however fast it writes. */
export interface RelayTurn {
  /**
   * Of each batch. The organization may lock its outbox, and let statements wait for an hour; or let none of its transactions
   * wait until the metadata database has taken the entries, so that all after the first batch stayed out of the trail.
   */
  readonly limits: StatementLimits;
  /** After so many batches, or so long, the turn ends. */
  readonly batches: number;
  readonly ms: number;
}

export const RELAY_TURN: RelayTurn = {
  limits: { statementMs: 10_000, lockMs: 2000, idleMs: 60_000 },
  batches: 25,
  ms: 2000,
};

/** What came of a turn. */
export interface Relayed {
  readonly count: number;
  /** Whether the turn ended before the outbox was empty. */
  readonly hasMore: boolean;
}

export interface RelayPorts {
  readonly databases: Pick<OrganizationDatabases, 'acquireExisting'>;
  readonly backlog: Pick<AuditBacklog, 'deliver'>;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** `RELAY_TURN` by default. */
  readonly turn?: RelayTurn;
  /** Monotonic, in milliseconds; `performance.now` by default. */
  readonly clock?: () => number;
  /** Is told of entries that have arrived; must not throw. */
  readonly onDelivered?: (entries: readonly CarriedEntry[]) => void;
}

const BATCH = 200;

/**
 * Relays what an organization's outbox holds, or as much of it as fits a turn, to the audit trail: each entry exactly once,
 * though the process may die anywhere on the way. An entry that was delivered is delivered again when its removal was not committed, and is known
 * by its id. A row that has no id of its own is no entry, and is left out. A database that was put aside keeps what its outbox
 * holds. Safe to call concurrently, in several processes.
 */
export const relayOutbox =
  ({
    databases,
    backlog,
    logger,
    now,
    turn = RELAY_TURN,
    clock = () => performance.now(),
    onDelivered = () => undefined,
  }: RelayPorts) =>
  async (organizationId: OrganizationId): Promise<Relayed> => {
    const lease = await databases.acquireExisting(organizationId).catch(nullWithoutDatabase);
    if (lease === null) return { count: 0, hasMore: false };
    const endsAt = clock() + turn.ms;
    try {
      for (let relayed = 0, batches = 1; ; batches += 1) {
        const { taken, arrived } = await lease.database.transaction(async ({ auditOutbox }) => {
          const { count, rows } = await auditOutbox.take(BATCH);
          const entries = readCarriedEntries(rows, now());
          if (entries.length < count) {
            const fields = { org_id: organizationId, rows: count - entries.length };
            logger.write('outbox.rows_ignored', fields);
          }
          if (entries.length > 0) await backlog.deliver(organizationId, entries);
          return { taken: count, arrived: entries };
        }, turn.limits);
        onDelivered(arrived);
        relayed += taken;
        const hasMore = taken === BATCH;
        if (!hasMore || batches >= turn.batches || clock() >= endsAt) return { count: relayed, hasMore };
      }
    } finally {
      lease.release();
    }
  };

const nullWithoutDatabase = (error: unknown): null => {
  if (error instanceof OrganizationDatabaseNotFoundError) return null;
  throw error;
};
