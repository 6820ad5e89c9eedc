export interface Line {
  readonly measure: string;
  readonly ours: number;
  readonly floor: number;
  readonly unit: 'ms' | 'µs' | 'MB';
  /** `at most`: ours / floor may not exceed it; `at least`: floor / ours has to reach it. */
  readonly limit: { readonly kind: 'at most' | 'at least'; readonly ratio: number };
}

const HEADINGS = ['measure', 'ours', 'floor', 'ratio', 'limit', ''] as const;

const toCells = ({ measure, ours, floor, unit, limit }: Line): readonly string[] => {
  const faster = limit.kind === 'at least';
  const ratio = faster ? floor / ours : ours / floor;
  const holds = faster ? ratio >= limit.ratio : ratio <= limit.ratio;
  return [
    measure,
    `${ours.toFixed(1)} ${unit}`,
    `${floor.toFixed(1)} ${unit}`,
    ratio.toFixed(2),
    `${faster ? '≥' : '≤'} ${limit.ratio.toFixed(2)}`,
    holds ? 'holds' : 'MISSED',
  ];
};

/** As text with aligned columns, the first one to the left. */
export const formatTable = (lines: readonly Line[]): string => {
  const rows = [HEADINGS, ...lines.map(toCells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
};

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
