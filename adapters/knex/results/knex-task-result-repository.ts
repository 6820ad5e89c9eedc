import type { NewTaskResult, TaskResult, TaskResultRepository } from '../../../domain/jobs/task-result.ts';
import { JsonText } from '../../../domain/json-text.ts';
import type { PagePart, PartRequest } from '../../../domain/page.ts';
import { insertList, selectJsonTexts, selectList } from '../columns.ts';
import { sizedList, toPart } from '../sized-list.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement, insertNotes } from './audited-statement.ts';
import { filledText } from './filled-text.ts';
import { posesJson } from './pose-json.ts';
import { textArray } from './text-array.ts';

const KEY_COLUMNS = { jobId: 'job_id', taskName: 'task_name' } as const;

/** Written by a put, also in place of an earlier result. */
const SMALL_COLUMNS = {
  serviceName: 'service_name',
  serviceVersion: 'service_version',
  schemaVersion: 'schema_version',
  confidenceScore: 'confidence_score',
} as const;
const JSON_COLUMNS = { resultData: 'result_data', poses: 'poses' } as const;
const SCORE_COLUMNS = { bestAffinity: 'best_affinity', suspect: 'suspect' } as const;
const WRITTEN_COLUMNS = {
  ...SMALL_COLUMNS,
  ...JSON_COLUMNS,
  ...SCORE_COLUMNS,
  leaseId: 'lease_id',
} as const satisfies Record<Exclude<keyof PutValues, keyof typeof KEY_COLUMNS>, string>;

const READ_COLUMNS = {
  taskResultId: 'task_result_id',
  ...KEY_COLUMNS,
  ...SMALL_COLUMNS,
  suspect: 'suspect',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
} satisfies Record<Exclude<keyof TaskResult, keyof typeof JSON_COLUMNS>, string>;

interface TaskResultRow extends Omit<TaskResult, 'resultData' | 'poses'> {
  /** JSON. */
  readonly resultData: string;
  /** JSON. */
  readonly poses: string;
}

const toTaskResult = ({ resultData, poses, ...row }: TaskResultRow): TaskResult => ({
  resultData: new JsonText(resultData),
  poses: new JsonText(poses),
  ...row,
});

type PutValues = Omit<NewTaskResult, 'note' | 'resultData' | 'poses' | 'score'> & {
  /** JSON. */
  readonly resultData: string;
  /** JSON. */
  readonly poses: string;
  readonly bestAffinity: number | null;
  /** An array of PostgreSQL. */
  readonly suspect: string;
};

const put = auditedStatement<PutValues, TaskResultRow & { readonly inserted: boolean }>(
  'task_result_put',
  { type: 'task_result', idField: 'taskResultId' },
  (p) =>
    sql('task_results')
      .insert(insertList({ ...KEY_COLUMNS, ...WRITTEN_COLUMNS }, p))
      .onConflict(Object.values(KEY_COLUMNS))
      .merge({
        ...insertList(WRITTEN_COLUMNS, (field) => sql.raw('excluded.??', [WRITTEN_COLUMNS[field]])),
        updated_at: sql.raw('now()'),
      })
      // `xmax` is 0 in a row version that no transaction has replaced or locked: it was inserted just now.
      .returning([
        ...selectList(READ_COLUMNS),
        ...selectJsonTexts(JSON_COLUMNS),
        sql.raw('(xmax = 0) as inserted'),
      ]),
);

const putAll = statement<{ results: string }>(
  'task_result_put_all',
  (p) => {
    const columns = Object.values({ ...KEY_COLUMNS, ...WRITTEN_COLUMNS });
    return filledText(
      `with sent as (
         select * from json_to_recordset({results}::json) as result (
           "jobId" uuid, "taskName" text, "serviceName" text, "serviceVersion" text, "schemaVersion" text,
           "confidenceScore" double precision, "resultData" jsonb, poses json, "bestAffinity" double precision,
           suspect text[], "leaseId" uuid, note jsonb
         )
       ), written as (
         insert into task_results (${columns.join(', ')})
         select ${Object.keys({ ...KEY_COLUMNS, ...WRITTEN_COLUMNS })
           .map((field) => `"${field}"`)
           .join(', ')} from sent
         on conflict (${Object.values(KEY_COLUMNS).join(', ')}) do update set
           ${Object.values(WRITTEN_COLUMNS)
             .map((column) => `${column} = excluded.${column}`)
             .join(', ')}, updated_at = now()
         returning task_result_id, job_id, task_name
       )
       ${insertNotes('task_result', 'task_result_id')}
       from written join sent on sent."jobId" = written.job_id and sent."taskName" = written.task_name`,
      p,
    );
  },
  { isAudited: true },
);

const listByJob = sizedList<TaskResultRow>('task_result_list', {
  table: 'task_results',
  columns: READ_COLUMNS,
  json: JSON_COLUMNS,
  order: ['task_name'],
  direction: 'asc',
});

export class KnexTaskResultRepository implements TaskResultRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async put(result: NewTaskResult): Promise<{ result: TaskResult; created: boolean }> {
    const { resultData, poses, score, note, ...rest } = result;
    const values = {
      resultData: JSON.stringify(resultData),
      poses: posesJson(poses),
      bestAffinity: score.bestAffinity,
      suspect: textArray(score.suspect),
      note: JSON.stringify(note),
      ...rest,
    };
    const [row] = await this.#executor.query(put(values));
    if (row === undefined) throw new Error('an upsert returned no row');
    const { inserted, ...written } = row;
    return { result: toTaskResult(written), created: inserted };
  }

  async putAll(results: readonly NewTaskResult[]): Promise<void> {
    const texts = results.map(({ poses, score, ...rest }) => {
      const { bestAffinity, suspect } = score;
      return `${JSON.stringify({ ...rest, bestAffinity, suspect }).slice(0, -1)},"poses":${posesJson(poses)}}`;
    });
    await this.#executor.query(putAll({ results: `[${texts.join(',')}]` }));
  }

  async listByJob(
    jobId: string,
    { after, ...part }: PartRequest<string>,
  ): Promise<PagePart<TaskResult, string>> {
    const key = after === null ? null : [after];
    const rows = await this.#executor.query(listByJob({ job_id: jobId }, { after: key, ...part }));
    return toPart(rows, toTaskResult, ({ taskName }) => taskName);
  }
}
