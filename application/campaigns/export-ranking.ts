import type { RankedJob, RankingKey, RankingRequest } from '../../domain/jobs/ranking.ts';
import type { Page } from '../../domain/page.ts';
import type { WithDatabase } from '../ports/databases/results-database.ts';

/** A job with its place in the list that is read, from 1. */
export type PlacedJob = RankedJob & { readonly rank: number };

const PAGE_SIZE = 200;

/**
 * Reads a whole ranking page by page. The database is leased for each page alone, when it is asked for: whoever takes the
 * pages may be slow. Jobs that complete meanwhile are in it if their place comes after what was read.
 */
export async function* exportRanking(
  withDatabase: WithDatabase,
  request: RankingRequest,
): AsyncGenerator<readonly PlacedJob[]> {
  let after: RankingKey | null = null;
  let rank = 0;
  do {
    const key: RankingKey | null = after;
    const page: Page<RankedJob, RankingKey> = await withDatabase(({ scores }) =>
      scores.rank(request, { limit: PAGE_SIZE, after: key }),
    );
    const before = rank;
    yield page.items.map((job, index) => ({ ...job, rank: before + index + 1 }));
    rank += page.items.length;
    after = page.next;
  } while (after !== null);
}
