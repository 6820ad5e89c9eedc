import type { ScoreFilter } from '../../../domain/jobs/affinity-histogram.ts';
import { sql, statement, type SqlQuery } from '../statement.ts';
import { scoreConditions, shapeOf } from './score-conditions.ts';
import { textArray } from './text-array.ts';

interface Values extends Omit<ScoreFilter, 'includesSuspect'> {
  /** An array as PostgreSQL writes it; null where none is used. */
  readonly edges: string | null;
}

interface RangeRow {
  readonly lowest: number | null;
  readonly highest: number | null;
}

interface CountRow {
  /** 0 for what is below the first edge, and so on. */
  readonly place: number;
  readonly jobs: string;
}

/** A statement without a name: its text depends on the filter, and it is asked for once a page view. */
const unnamed = <Row>(
  filter: ScoreFilter,
  edges: readonly number[] | null,
  toText: (bind: (key: keyof Values) => string, conditions: () => string) => string,
): SqlQuery<Row> => {
  const build = statement<Values, Row>(
    'job_scores_spread',
    (p) => {
      const bindings: unknown[] = [];
      const bind = (key: keyof Values): string => {
        bindings.push(p(key));
        return '?';
      };
      const conditions = (): string =>
        [
          ...scoreConditions(shapeOf(filter), bind),
          ...(filter.includesSuspect ? [] : [`suspect = '{}'`]),
        ].join(' and ');
      const text = toText(bind, conditions);
      // Placeholders, which Knex takes for values.
      return sql.raw(text, bindings as never[]);
    },
    { readOnly: true },
  );
  const { name: _name, ...query } = build({
    ...filter,
    edges: edges === null ? null : textArray(edges.map(String)),
  });
  return query;
};

/** Without doubted scores, and without a prefix, both ends are read off the index. */
export const rangeQuery = (filter: ScoreFilter): SqlQuery<RangeRow> =>
  unnamed(
    filter,
    null,
    (_bind, conditions) =>
      `select min(best_affinity) as lowest, max(best_affinity) as highest from job_scores where ${conditions()}`,
  );

export const countQuery = (filter: ScoreFilter, edges: readonly number[]): SqlQuery<CountRow> =>
  unnamed(
    filter,
    edges,
    (bind, conditions) =>
      `select width_bucket(best_affinity, ${bind('edges')}::double precision[]) as place, count(*) as jobs
       from job_scores where ${conditions()} group by place`,
  );
