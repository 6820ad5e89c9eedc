import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const PROMETHEUS = fileURLToPath(
  new URL('../../infrastructure/deployment/prometheus', import.meta.url),
);
const GRAFANA = fileURLToPath(new URL('../../infrastructure/deployment/grafana', import.meta.url));
const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The tests of `promtool`. */
interface RuleTests {
  readonly tests: readonly {
    readonly name: string;
    readonly input_series: readonly { readonly series: string }[];
    readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly object[] }[];
  }[];
}

export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
}

const read = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');

/** Of `rules.yml` or `alerts.yml`. */
export const readRules = (name: string): readonly Rule[] => {
  // Checked by `promtool check rules`.
  const { groups } = parse(read(PROMETHEUS, name)) as { groups: readonly { rules: readonly Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
};

export const RULE_TESTS = readdirSync(PROMETHEUS).filter((name) => name.endsWith('.test.yml'));

export const readRuleTests = (): RuleTests['tests'] =>
  // Checked by `promtool test rules`.
  RULE_TESTS.flatMap((name) => (parse(read(PROMETHEUS, name)) as RuleTests).tests);

export const readDashboards = (): ReadonlyMap<string, Dashboard> =>
  new Map(
    readdirSync(GRAFANA)
      .filter((name) => name.endsWith('.json'))
      // What the tests read of it is checked by them.
      .map((name) => [name, JSON.parse(read(GRAFANA, name)) as Dashboard]),
  );

export const readMetricsPage = (): string => read(DOCS, 'metrics.md');

/** By their paths from the root of the project. */
export const readRunbooks = (): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(join(DOCS, 'runbooks')).map((name) => [
      `docs/runbooks/${basename(name)}`,
      read(join(DOCS, 'runbooks'), name),
    ]),
  );
