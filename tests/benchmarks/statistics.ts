/** The value that a share of the samples does not exceed; nearest rank. */
export const percentile = (samples: readonly number[], share: number): number => {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/** Milliseconds that `work` takes. */
export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

export type Series<Name extends string> = Readonly<Record<Name, number[]>>;

/**
 * Takes samples of several things in turns, each round in the reverse order of the one before: what else goes on in
 * the machine meanwhile meets all of them. The first round warms up and does not count.
 */
export const interleave = async <Name extends string>(
  rounds: number,
  measures: Readonly<Record<Name, (round: number) => Promise<number>>>,
): Promise<Series<Name>> => {
  // `Object.entries` forgets the names' type; these are the record's own.
  const entries = Object.entries(measures) as [Name, (round: number) => Promise<number>][];
  const series = Object.fromEntries(entries.map(([name]) => [name, [] as number[]])) as Record<
    Name,
    number[]
  >;
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, measure] of round % 2 === 0 ? entries : entries.toReversed()) {
      const value = await measure(round);
      if (round > 0) series[name].push(value);
    }
  }
  return series;
};
