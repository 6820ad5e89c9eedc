import { binEdges, type AffinityHistogram, type ScoreFilter } from '../../domain/jobs/affinity-histogram.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';
import { getCampaign } from './get-campaign.ts';

/**
 * How the scores of a campaign are spread. What completes between the two reads may stand below or above the bins.
 *
 * @param mostBins at least 2
 * @throws {CampaignNotFoundError}
 */
export const affinityHistogram = async (
  repositories: ResultsRepositories,
  filter: ScoreFilter,
  mostBins: number,
): Promise<AffinityHistogram> => {
  await getCampaign(repositories, filter.campaignId);
  const range = await repositories.scores.range(filter);
  if (range === null) return { edges: [], counts: [], below: 0, above: 0 };
  const edges = binEdges(range, mostBins);
  return { edges, ...(await repositories.scores.countBetween(filter, edges)) };
};
