/** A metric as a process exports it. */
export interface ExportedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Without `le`. */
  readonly labels: ReadonlySet<string>;
}

const SAMPLE = /^(\w+)(?:\{(.*)\})? \S+$/;

/** Reads Prometheus's text format. */
export const readMetrics = (text: string): ReadonlyMap<string, ExportedMetric> => {
  const metrics = new Map<string, ExportedMetric & { labels: Set<string> }>();
  for (const [, name = '', help = ''] of text.matchAll(/^# HELP (\w+) (.*)$/gm))
    metrics.set(name, { name, help, type: '', labels: new Set() });
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
    const metric = metrics.get(name);
    if (metric !== undefined) metrics.set(name, { ...metric, type });
  }
  for (const line of text.split('\n')) {
    const [, series = '', labels = ''] = SAMPLE.exec(line) ?? [];
    const metric = metrics.get(series) ?? metrics.get(series.replace(/_(?:bucket|sum|count)$/, ''));
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) if (label !== 'le') metric?.labels.add(label);
  }
  return metrics;
};

/** The series of a metric, each with its labels. */
export const seriesOf = ({ name, type, labels }: ExportedMetric): readonly [string, ReadonlySet<string>][] =>
  type === 'histogram'
    ? [
        [`${name}_bucket`, new Set([...labels, 'le'])],
        [`${name}_sum`, labels],
        [`${name}_count`, labels],
      ]
    : [
        [name, labels],
        ...(type === 'summary'
          ? [`${name}_sum`, `${name}_count`].map((each): [string, ReadonlySet<string>] => [each, labels])
          : []),
      ];
