import type { AffinityCounts, AffinityRange, ScoreFilter } from '../../../domain/jobs/affinity-histogram.ts';
import { JsonText } from '../../../domain/json-text.ts';
import { toPage, type Page, type PageRequest } from '../../../domain/page.ts';
import type { RankedJob, RankingKey, RankingRequest, ScoreRepository } from '../../../domain/jobs/ranking.ts';
import { sql, statement, type SqlExecutor, type SqlQuery } from '../statement.ts';
import { ligandColumns } from './settle-scores.ts';
import { countQuery, rangeQuery } from './score-spread.ts';
import { scoreConditions, shapeOf, type FilterShape } from './score-conditions.ts';
import { textArray } from './text-array.ts';

const copy = statement<{ jobIds: string }>('job_score_copy', (p) =>
  sql.raw(
    `insert into job_scores (job_id, output_job_id, task_name, campaign_id, label, best_affinity, pose_count, top_pose,
       suspect, ligand_file, ligand_name, poses_artifact_id, created_at)
     select job.job_id, score.output_job_id, score.task_name, job.campaign_id, coalesce(job.label, ''),
       score.best_affinity, score.pose_count, score.top_pose, score.suspect, ${ligandColumns('job')},
       score.poses_artifact_id, job.created_at
     from docking_jobs as job join job_scores as score on score.job_id = job.canonical_job_id
     where job.job_id = any(?::uuid[])`,
    [p('jobIds')],
  ),
);

/** By what a ranking sorts: the column of `job_scores`, its type, and the key's value of a row. */
const SORTS = {
  affinity: {
    column: 'best_affinity',
    type: 'double precision',
    toValue: (row: RankedRow) => row.bestAffinity,
  },
  label: { column: 'label', type: 'text', toValue: (row: RankedRow) => row.label },
  created_at: {
    column: 'created_at',
    type: 'timestamptz',
    toValue: (row: RankedRow) => row.createdAt.getTime(),
  },
} as const;

interface RankedRow {
  readonly jobId: string;
  readonly label: string;
  readonly bestAffinity: number;
  readonly poseCount: number;
  readonly suspect: readonly string[];
  /** JSON. */
  readonly poses: string;
  readonly ligandFile: string | null;
  readonly ligandName: string | null;
  readonly posesArtifactId: string | null;
  readonly createdAt: Date;
}

interface Values {
  readonly campaignId: string;
  readonly minAffinity: number | null;
  readonly maxAffinity: number | null;
  readonly labelPrefix: string | null;
  readonly poses: number;
  readonly value: number | string | null;
  readonly jobId: string | null;
  readonly rows: number;
}

/** What decides the text of a ranking's query. */
interface Shape extends FilterShape, Pick<RankingRequest, 'sort' | 'order' | 'includesSuspect'> {
  readonly isContinued: boolean;
  readonly showsMany: boolean;
}

type Build = (values: Values) => SqlQuery<RankedRow>;

const builds = new Map<string, Build>();

/** The statements of rankings without further filters are prepared: there are few, and they are asked for page by page. */
const buildOf = (shape: Shape): { readonly build: Build; readonly isUsual: boolean } => {
  // Names of prepared statements are cut off after 63 bytes.
  const parts = Object.values(shape).map((part) => (typeof part === 'boolean' ? Number(part) : part));
  const name = `job_scores_rank_${parts.join('_')}`;
  let build = builds.get(name);
  if (build === undefined) {
    build = statement<Values, RankedRow>(name, (p) => rankQuery(shape, p), { readOnly: true });
    builds.set(name, build);
  }
  return { build, isUsual: !shape.hasMinAffinity && !shape.hasMaxAffinity && !shape.hasPrefix };
};

const rankQuery = (shape: Shape, p: (key: keyof Values) => unknown) => {
  const { column, type } = SORTS[shape.sort];
  const bindings: unknown[] = [];
  const bind = (key: keyof Values): string => {
    bindings.push(p(key));
    return '?';
  };
  const order = `${column} ${shape.order}, job_id ${shape.order}`;
  const rows = (ofSuspects: readonly string[]): string => {
    const conditions = [
      ...scoreConditions(shape, bind),
      ...ofSuspects,
      ...(shape.isContinued
        ? [
            `(${column}, job_id) ${shape.order === 'asc' ? '>' : '<'} (${bind('value')}::${type}, ${bind('jobId')}::uuid)`,
          ]
        : []),
    ];
    return `select * from job_scores where ${conditions.join(' and ')} order by ${order} limit ${bind('rows')}::int`;
  };
  // By affinity there is an index of doubted scores and one of the others: each branch walks its own.
  const ranked = !shape.includesSuspect
    ? rows([`suspect = '{}'`])
    : shape.sort !== 'affinity'
      ? rows([])
      : `select * from ((${rows([`suspect = '{}'`])}) union all (${rows([`suspect <> '{}'`])})) as both_kinds
         order by ${order} limit ${bind('rows')}::int`;
  const poses = shape.showsMany
    ? `(select json_agg(pose order by number) from task_results,
         json_array_elements(poses) with ordinality as listed (pose, number)
         where task_results.job_id = ranked.output_job_id and task_results.task_name = ranked.task_name
           and number <= ${bind('poses')}::int)::text`
    : `'[' || top_pose::text || ']'`;
  return sql.raw(
    `with ranked as (${ranked})
     select job_id as "jobId", label, best_affinity as "bestAffinity", pose_count as "poseCount", suspect,
       ligand_file as "ligandFile", ligand_name as "ligandName", poses_artifact_id as "posesArtifactId",
       created_at as "createdAt", ${poses} as poses
     from ranked order by ${order}`,
    // Placeholders, which Knex takes for values.
    bindings as never[],
  );
};

/** One literal: a page has two hundred rows, and V8 is slow to copy what is left of an object. Decision 0024. */
const toRankedJob = (row: RankedRow): RankedJob => ({
  jobId: row.jobId,
  label: row.label === '' ? null : row.label,
  bestAffinity: row.bestAffinity,
  poseCount: row.poseCount,
  suspect: row.suspect,
  poses: new JsonText(row.poses),
  ligand: row.ligandFile === null ? null : { file: row.ligandFile, name: row.ligandName },
  posesArtifactId: row.posesArtifactId,
  createdAt: row.createdAt,
});

export class KnexScoreRepository implements ScoreRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async copy(jobIds: readonly string[]): Promise<void> {
    await this.#executor.query(copy({ jobIds: textArray(jobIds) }));
  }

  async rank(
    {
      campaignId,
      sort,
      order,
      minAffinity,
      maxAffinity,
      labelPrefix,
      includesSuspect,
      poses,
    }: RankingRequest,
    { limit, after }: PageRequest<RankingKey>,
  ): Promise<Page<RankedJob, RankingKey>> {
    const { build, isUsual } = buildOf({
      sort,
      order,
      includesSuspect,
      isContinued: after !== null,
      ...shapeOf({ minAffinity, maxAffinity, labelPrefix }),
      showsMany: poses > 1,
    });
    const { name, ...query } = build({
      campaignId,
      minAffinity,
      maxAffinity,
      labelPrefix,
      poses,
      value: toSqlValue(sort, after?.value ?? null),
      jobId: after?.jobId ?? null,
      rows: limit + 1,
    });
    const rows = await this.#executor.query(isUsual && name !== undefined ? { name, ...query } : query);
    const keyOf = (row: RankedRow): RankingKey => ({ value: SORTS[sort].toValue(row), jobId: row.jobId });
    const { items, next } = toPage(rows, limit, keyOf);
    return { items: items.map(toRankedJob), next };
  }

  async range(filter: ScoreFilter): Promise<AffinityRange | null> {
    const [row] = await this.#executor.query(rangeQuery(filter));
    return row === undefined || row.lowest === null || row.highest === null
      ? null
      : { lowest: row.lowest, highest: row.highest };
  }

  async countBetween(filter: ScoreFilter, edges: readonly number[]): Promise<AffinityCounts> {
    const rows = await this.#executor.query(countQuery(filter, edges));
    const places = new Map(rows.map(({ place, jobs }) => [place, Number(jobs)]));
    return {
      counts: edges.slice(1).map((_, index) => places.get(index + 1) ?? 0),
      below: places.get(0) ?? 0,
      above: places.get(edges.length) ?? 0,
    };
  }
}

const toSqlValue = (sort: RankingRequest['sort'], value: number | string | null): number | string | null =>
  sort === 'created_at' && typeof value === 'number' ? new Date(value).toISOString() : value;
