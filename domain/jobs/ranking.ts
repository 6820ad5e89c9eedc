import type { JsonText } from '../json-text.ts';
import type { Page, PageRequest } from '../page.ts';
import type { AffinityCounts, AffinityRange, ScoreFilter } from './affinity-histogram.ts';

export const RANKING_SORTS = ['affinity', 'label', 'created_at'] as const;

/** Which jobs of a campaign are ranked, and by what. */
export interface RankingRequest extends ScoreFilter {
  /** Labels sort by code points. */
  readonly sort: (typeof RANKING_SORTS)[number];
  readonly order: 'asc' | 'desc';
  /** How many of each job's poses are wanted. */
  readonly poses: number;
}

/** A completed job with poses, as a ranking shows it. */
export interface RankedJob {
  readonly jobId: string;
  readonly label: string | null;
  readonly bestAffinity: number;
  readonly poseCount: number;
  readonly suspect: readonly string[];
  /** A list of poses as they were sent, best first. */
  readonly poses: JsonText;
  /** Where the job's ligand is a stored file. */
  readonly ligand: { readonly file: string; readonly name: string | null } | null;
  /** The artifact that holds all poses. It belongs to the canonical job where the cache answered. */
  readonly posesArtifactId: string | null;
  readonly createdAt: Date;
}

/** The last job of a page: what the ranking sorts by (a time in milliseconds since 1970), and its id. */
export interface RankingKey {
  readonly value: number | string;
  readonly jobId: string;
}

/** What completed jobs scored, one row a job. */
export interface ScoreRepository {
  /** Gives jobs that the cache answered the scores of their canonical jobs, with their own labels and campaigns. */
  copy(jobIds: readonly string[]): Promise<void>;
  rank(request: RankingRequest, page: PageRequest<RankingKey>): Promise<Page<RankedJob, RankingKey>>;
  /** Null without scores. */
  range(filter: ScoreFilter): Promise<AffinityRange | null>;
  /** @param edges ascending, at least two */
  countBetween(filter: ScoreFilter, edges: readonly number[]): Promise<AffinityCounts>;
}
