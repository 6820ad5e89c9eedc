/** Of the API: `counts[i]` is how many jobs score from `edges[i]` to below `edges[i + 1]`. */
export interface AffinityBins {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface HistogramGeometry {
  readonly bars: readonly Bar[];
  readonly ticks: readonly { readonly affinity: number; readonly x: number }[];
  toX(affinity: number): number;
  /** The edge of a bin that is nearest to `x`. */
  toEdge(x: number): number;
}

/** A bin with any job is drawn at least this high: one best binder among 100,000 jobs must be seen. */
const LEAST_HEIGHT = 2;

/** Where the bars of a histogram are in a drawing of this size. Null without bins. */
export const histogramGeometry = (
  { edges, counts }: AffinityBins,
  size: { readonly width: number; readonly height: number },
): HistogramGeometry | null => {
  const [low] = edges;
  const high = edges.at(-1);
  if (low === undefined || high === undefined || counts.length === 0 || high <= low) return null;
  const toX = (affinity: number): number => ((affinity - low) / (high - low)) * size.width;
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, index): Bar => {
    const from = edges[index] ?? low;
    const to = edges[index + 1] ?? high;
    const height = count === 0 ? 0 : Math.max(LEAST_HEIGHT, (count / most) * size.height);
    return { from, to, count, x: toX(from), y: size.height - height, width: toX(to) - toX(from), height };
  });
  return {
    bars,
    ticks: ticksBetween(low, high, Math.max(2, Math.floor(size.width / 80))).map((affinity) => ({
      affinity,
      x: toX(affinity),
    })),
    toX,
    toEdge: (x) =>
      edges.reduce((nearest, edge) =>
        Math.abs(toX(edge) - x) < Math.abs(toX(nearest) - x) ? edge : nearest,
      ),
  };
};

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50] as const;

/** Round numbers between the two, about `wanted` of them. */
export const ticksBetween = (low: number, high: number, wanted: number): readonly number[] => {
  const step = STEPS.find((candidate) => (high - low) / candidate <= wanted) ?? 100;
  const ticks: number[] = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + 1e-9; index++) {
    ticks.push(Math.round(index * step * 10) / 10);
  }
  return ticks;
};

/** In kcal/mol. An undefined side is open. */
export interface Range {
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** A range without limits that leave nothing out: such a side is open. The sides change places where they are crossed. */
export const settledRange = ({ min, max }: Range, { edges }: AffinityBins): Range => {
  const [first = 0] = edges;
  const last = edges.at(-1) ?? 0;
  const low = Math.min(min ?? first, max ?? last);
  const high = Math.max(min ?? first, max ?? last);
  return { min: low <= first ? undefined : low, max: high >= last ? undefined : high };
};

/** How many jobs are in a range whose limits are edges. */
export const jobsWithin = (
  { min = -Infinity, max = Infinity }: Range,
  { edges, counts, below, above }: AffinityBins & { readonly below: number; readonly above: number },
): number =>
  counts.reduce(
    (sum, count, index) => {
      const from = edges[index] ?? 0;
      return from >= min && from < max ? sum + count : sum;
    },
    (min === -Infinity ? below : 0) + (max === Infinity ? above : 0),
  );
