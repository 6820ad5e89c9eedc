import { ABANDONED_AFTER_MS, UNREFERENCED_GRACE_MS } from '../../domain/files/stored-file.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { StatementLimits, WithDatabase } from '../ports/databases/results-database.ts';
import type { FileStore } from '../ports/files/file-store.ts';

export interface CollectFilesDeps {
  readonly fileStore: FileStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of each transaction; `LIMITS` by default. */
  readonly limits?: StatementLimits;
}

/** How many files are marked at a time. */
const BATCH = 100;

/**
 * The organization may have set an hour, and lock its tables: `files collect` has others to see to. Or it lets its transactions
 * pause for less than the five seconds after which a store gives up a deletion: its lock would be gone, and the deletion could
 * meet bytes that came anew.
 */
const LIMITS: StatementLimits = { statementMs: 120_000, lockMs: 10_000, idleMs: 20_000 };

export type CollectFiles = ReturnType<typeof collectFiles>;

/**
 * Deletes an organization's files that nothing has referred to for a day, and what broken uploads left. A file is marked
 * first, then its bytes go, then its row: no row that callers see is without its bytes. An upload of the same bytes takes
 * the mark back. Decision 0046.
 *
 * @param mostFiles after so many it stops
 * @returns how many files were deleted
 */
export const collectFiles =
  ({ fileStore, now, limits = LIMITS }: CollectFilesDeps) =>
  async (
    organizationId: OrganizationId,
    withDatabase: WithDatabase,
    mostFiles = Infinity,
  ): Promise<number> => {
    const before = new Date(now() - UNREFERENCED_GRACE_MS);
    let deleted = 0;
    let marked: readonly string[];
    do {
      const limit = Math.min(BATCH, mostFiles - deleted);
      marked = await withDatabase((database) =>
        database.transaction(({ files }) => files.markUnreferenced(before, limit), limits),
      );
      for (const sha256 of marked) {
        const isGone = await withDatabase((database) =>
          database.transaction(async ({ files }) => {
            if (!(await files.lockMarked(sha256))) return false;
            await fileStore.delete(organizationId, sha256);
            await files.forget(sha256);
            return true;
          }, limits),
        );
        deleted += Number(isGone);
      }
    } while (marked.length === BATCH && deleted < mostFiles);
    await fileStore.discardAbandoned(organizationId, new Date(now() - ABANDONED_AFTER_MS));
    return deleted;
  };
