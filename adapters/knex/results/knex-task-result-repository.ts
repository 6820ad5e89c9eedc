import type { JsonObject } from '../../../domain/jobs/docking-job.ts';
import type { NewTaskResult, TaskResult, TaskResultRepository } from '../../../domain/jobs/task-result.ts';
import { auditedStatement } from './audited-statement.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

interface TaskResultRow {
  readonly task_result_id: string;
  readonly job_id: string;
  readonly task_name: string;
  readonly service_name: string;
  readonly service_version: string | null;
  readonly schema_version: string | null;
  readonly confidence_score: number | null;
  readonly result_data: JsonObject;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS = [
  'task_result_id',
  'job_id',
  'task_name',
  'service_name',
  'service_version',
  'schema_version',
  'confidence_score',
  'result_data',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof TaskResultRow)[];

const put = auditedStatement<
  Omit<NewTaskResult, 'note'> & { json: string },
  TaskResultRow & { inserted: boolean }
>('task_result_put', { type: 'task_result', idColumn: 'task_result_id' }, (p) =>
  sql('task_results')
    .insert({
      job_id: p('jobId'),
      task_name: p('taskName'),
      service_name: p('serviceName'),
      service_version: p('serviceVersion'),
      schema_version: p('schemaVersion'),
      confidence_score: p('confidenceScore'),
      result_data: p('json'),
    })
    .onConflict(['job_id', 'task_name'])
    .merge({
      service_name: sql.raw('excluded.service_name'),
      service_version: sql.raw('excluded.service_version'),
      schema_version: sql.raw('excluded.schema_version'),
      confidence_score: sql.raw('excluded.confidence_score'),
      result_data: sql.raw('excluded.result_data'),
      updated_at: sql.raw('now()'),
    })
    // A row version that no transaction has superseded or locked is a fresh insert.
    .returning([...COLUMNS, sql.raw('(xmax = 0) as inserted')]),
);

const listByJob = statement<{ jobId: string }, TaskResultRow>('task_result_list', (p) =>
  sql('task_results').select(COLUMNS).where('job_id', p('jobId')).orderBy('task_name'),
);

const toTaskResult = (row: TaskResultRow): TaskResult => ({
  taskResultId: row.task_result_id,
  jobId: row.job_id,
  taskName: row.task_name,
  serviceName: row.service_name,
  serviceVersion: row.service_version,
  schemaVersion: row.schema_version,
  confidenceScore: row.confidence_score,
  resultData: row.result_data,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

export class KnexTaskResultRepository implements TaskResultRepository {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async put(result: NewTaskResult): Promise<{ result: TaskResult; created: boolean }> {
    const json = JSON.stringify(result.resultData);
    const [row] = await this.#executor.query(put({ ...result, json, note: JSON.stringify(result.note) }));
    if (row === undefined) throw new Error('an upsert returned no row');
    return { result: toTaskResult(row), created: row.inserted };
  }

  async listByJob(jobId: string): Promise<readonly TaskResult[]> {
    const rows = await this.#executor.query(listByJob({ jobId }));
    return rows.map(toTaskResult);
  }
}
