import { HIGHEST_AFFINITY, LOWEST_AFFINITY } from './score.ts';

/** Which scores of a campaign are looked at. */
export interface ScoreFilter {
  readonly campaignId: string;
  /** In kcal/mol: none that binds better. */
  readonly minAffinity: number | null;
  /** In kcal/mol: none that binds worse. */
  readonly maxAffinity: number | null;
  readonly labelPrefix: string | null;
  readonly includesSuspect: boolean;
}

/** In kcal/mol. */
export interface AffinityRange {
  readonly lowest: number;
  readonly highest: number;
}

/** How many jobs score what. */
export interface AffinityCounts {
  /** For each bin, those from its lower edge to below its upper one. */
  readonly counts: readonly number[];
  /** Those below the first edge. */
  readonly below: number;
  /** Those at the last edge, or above it. */
  readonly above: number;
}

export interface AffinityHistogram extends AffinityCounts {
  /** In kcal/mol, ascending: one more than there are bins. Empty without scores. */
  readonly edges: readonly number[];
}

/** In hundredths of a kcal/mol: what people can read off an axis. */
const BIN_WIDTHS = [5, 10, 20, 25, 50, 100, 200, 500, 1000] as const;
const WIDEST = 2500;

/**
 * Edges of bins of one width, which begin at round numbers and hold the whole range, as far as it is plausible: scores
 * out of range would leave the others in a single bin.
 *
 * @param mostBins at least 2
 */
export const binEdges = (range: AffinityRange, mostBins: number): readonly number[] => {
  const lowest = plausible(range.lowest);
  const highest = plausible(range.highest);
  const binsOf = (width: number): readonly [number, number] => {
    const edge = edgeOf(width);
    let first = Math.floor((lowest * 100) / width);
    if (edge(first) > lowest) first -= 1;
    let last = Math.floor((highest * 100) / width);
    if (edge(last + 1) <= highest) last += 1;
    return [first, last];
  };
  const width =
    BIN_WIDTHS.find((candidate) => {
      const [first, last] = binsOf(candidate);
      return last - first + 1 <= mostBins;
    }) ?? WIDEST;
  const [first, last] = binsOf(width);
  return Array.from({ length: last - first + 2 }, (_, index) => edgeOf(width)(first + index));
};

/** The number that "-7.3" is read as, and not a sum that misses it. */
const edgeOf =
  (width: number) =>
  (index: number): number =>
    (index * width) / 100;

const plausible = (affinity: number): number =>
  Math.min(HIGHEST_AFFINITY, Math.max(LOWEST_AFFINITY, affinity));
