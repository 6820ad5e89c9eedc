import type { ResultsRepositories } from '../../../application/ports/databases/results-database.ts';
import type { ScoreFilter } from '../../../domain/jobs/affinity-histogram.ts';
import type { Artifact } from '../../../domain/jobs/artifact.ts';
import type { DockingJob } from '../../../domain/jobs/docking-job.ts';
import type { RankedJob, RankingKey, RankingRequest } from '../../../domain/jobs/ranking.ts';
import type { Pose, Score } from '../../../domain/jobs/score.ts';
import { JsonText } from '../../../domain/json-text.ts';
import { toPage } from '../../../domain/page.ts';

/** What one task result says of a job's score. */
export interface FakeTaskScore extends Score {
  readonly jobId: string;
  readonly taskName: string;
  readonly poses: readonly Pose[];
}

/** A row of `job_scores`: the poses are looked up when they are shown. */
export interface FakeScore extends Omit<RankedJob, 'poses'> {
  readonly campaignId: string | null;
  readonly poses: readonly Pose[];
}

export const posesText = (poses: readonly Pose[]): JsonText =>
  JsonText.of(
    poses.map(({ rank, affinity, rmsdLowerBound, rmsdUpperBound, intra, unbound, reportedAffinity }) => ({
      rank,
      affinity_kcal_mol: affinity,
      ...(rmsdLowerBound !== null && { rmsd_lower_bound: rmsdLowerBound }),
      ...(rmsdUpperBound !== null && { rmsd_upper_bound: rmsdUpperBound }),
      ...(intra !== null && { intra }),
      ...(unbound !== null && { unbound }),
      ...(reportedAffinity !== null && { reported_affinity_kcal_mol: reportedAffinity }),
    })),
  );

interface Stored {
  readonly jobs: ReadonlyMap<string, DockingJob>;
  readonly artifacts: readonly Artifact[];
}

/** Null for a job without poses. */
export const fakeScoreOf = (
  jobId: string,
  results: readonly FakeTaskScore[],
  { jobs, artifacts }: Stored,
): FakeScore | null => {
  const job = jobs.get(jobId);
  const [best] = results
    .filter(({ bestAffinity }) => bestAffinity !== null)
    .toSorted((a, b) => (a.bestAffinity ?? 0) - (b.bestAffinity ?? 0) || (a.taskName < b.taskName ? -1 : 1));
  if (job === undefined || best === undefined) return null;
  return {
    ...ownFieldsOf(job),
    bestAffinity: best.bestAffinity ?? 0,
    poseCount: best.poses.length,
    poses: best.poses,
    suspect: [...new Set(results.flatMap(({ suspect }) => suspect))].toSorted(),
    posesArtifactId:
      artifacts.findLast((artifact) => artifact.jobId === jobId && artifact.purpose === 'poses')
        ?.artifactId ?? null,
  };
};

/** Of the job itself, also when the cache answered. */
const ownFieldsOf = ({ jobId, label, campaignId, createdAt, inputs }: DockingJob) => ({
  jobId,
  label,
  campaignId,
  createdAt,
  ligand: ligandOf(inputs),
});

const ligandOf = (inputs: JsonText): RankedJob['ligand'] => {
  const { ligand } = inputs.toJSON() as { ligand?: unknown };
  if (typeof ligand !== 'object' || ligand === null) return null;
  const { file, name } = ligand as { file?: unknown; name?: unknown };
  if (typeof file !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(file)) return null;
  return { file, name: typeof name === 'string' && name.length <= 255 ? name : null };
};

const valueOf = (score: FakeScore, sort: RankingRequest['sort']): number | string => {
  if (sort === 'affinity') return score.bestAffinity;
  return sort === 'label' ? (score.label ?? '') : score.createdAt.getTime();
};

const compareValues = <Value extends number | string>(one: Value, other: Value): number =>
  one < other ? -1 : Number(one > other);

const isCounted =
  (wanted: ScoreFilter) =>
  ({ campaignId, suspect, bestAffinity, label }: FakeScore): boolean =>
    campaignId === wanted.campaignId &&
    (wanted.includesSuspect || suspect.length === 0) &&
    bestAffinity >= (wanted.minAffinity ?? -Infinity) &&
    bestAffinity <= (wanted.maxAffinity ?? Infinity) &&
    (wanted.labelPrefix === null || label?.startsWith(wanted.labelPrefix) === true);

export const fakeScores = (
  scores: Map<string, FakeScore>,
  jobs: ReadonlyMap<string, DockingJob>,
): ResultsRepositories['scores'] => ({
  copy: async (jobIds) => {
    for (const jobId of jobIds) {
      const job = jobs.get(jobId);
      const score = scores.get(job?.cache.canonicalJobId ?? '');
      if (job !== undefined && score !== undefined) scores.set(jobId, { ...score, ...ownFieldsOf(job) });
    }
  },
  range: async (filter) => {
    const affinities = [...scores.values()].filter(isCounted(filter)).map(({ bestAffinity }) => bestAffinity);
    return affinities.length === 0
      ? null
      : { lowest: Math.min(...affinities), highest: Math.max(...affinities) };
  },
  countBetween: async (filter, edges) => {
    const places = [...scores.values()]
      .filter(isCounted(filter))
      .map(({ bestAffinity }) => edges.filter((edge) => edge <= bestAffinity).length);
    const at = (place: number): number => places.filter((other) => other === place).length;
    return {
      counts: edges.slice(1).map((_, index) => at(index + 1)),
      below: at(0),
      above: at(edges.length),
    };
  },
  rank: async ({ sort, order, ...wanted }, { limit, after }) => {
    const direction = order === 'asc' ? 1 : -1;
    const keyOf = (score: FakeScore): RankingKey => ({ value: valueOf(score, sort), jobId: score.jobId });
    const compare = (one: RankingKey, other: RankingKey) =>
      direction * (compareValues(one.value, other.value) || compareValues(one.jobId, other.jobId));
    const following = [...scores.values()]
      .filter(isCounted(wanted))
      .toSorted((one, other) => compare(keyOf(one), keyOf(other)))
      .filter((score) => after === null || compare(keyOf(score), after) > 0);
    const { items, next } = toPage(following, limit, keyOf);
    const shown = items.map(({ poses, campaignId: _campaign, ...score }) => ({
      ...score,
      poses: posesText(poses.slice(0, wanted.poses)),
    }));
    return { items: shown, next };
  },
});
