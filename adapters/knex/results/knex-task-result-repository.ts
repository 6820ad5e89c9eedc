import type { NewTaskResult, TaskResult, TaskResultRepository } from '../../../domain/jobs/task-result.ts';
import { insertList, selectList } from '../columns.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { auditedStatement } from './audited-statement.ts';

const KEY_COLUMNS = { jobId: 'job_id', taskName: 'task_name' } as const;

/** Written by a put, also in place of an earlier result. */
const WRITTEN_COLUMNS = {
  serviceName: 'service_name',
  serviceVersion: 'service_version',
  schemaVersion: 'schema_version',
  confidenceScore: 'confidence_score',
  resultData: 'result_data',
} as const satisfies Record<Exclude<keyof NewTaskResult, keyof typeof KEY_COLUMNS | 'note'>, string>;

const RESULT_FIELDS = selectList({
  taskResultId: 'task_result_id',
  ...KEY_COLUMNS,
  ...WRITTEN_COLUMNS,
  createdAt: 'created_at',
  updatedAt: 'updated_at',
} satisfies Record<keyof TaskResult, string>);

type PutValues = Omit<NewTaskResult, 'note' | 'resultData'> & {
  /** JSON. */
  readonly resultData: string;
};

const put = auditedStatement<PutValues, TaskResult & { readonly inserted: boolean }>(
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
      .returning([...RESULT_FIELDS, sql.raw('(xmax = 0) as inserted')]),
);

const listByJob = statement<{ jobId: string }, TaskResult>('task_result_list', (p) =>
  sql('task_results').select(RESULT_FIELDS).where('job_id', p('jobId')).orderBy('task_name'),
);

export class KnexTaskResultRepository implements TaskResultRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async put(result: NewTaskResult): Promise<{ result: TaskResult; created: boolean }> {
    const { resultData, note, ...rest } = result;
    const values = { resultData: JSON.stringify(resultData), note: JSON.stringify(note), ...rest };
    const [row] = await this.#executor.query(put(values));
    if (row === undefined) throw new Error('an upsert returned no row');
    const { inserted, ...written } = row;
    return { result: written, created: inserted };
  }

  async listByJob(jobId: string): Promise<readonly TaskResult[]> {
    return this.#executor.query(listByJob({ jobId }));
  }
}
