import { assertAcceptsOutput } from '../../domain/jobs/docking-job.ts';
import type { NewTaskResult, TaskResult } from '../../domain/jobs/task-result.ts';
import type { ResultsDatabase } from '../ports/results-database.ts';
import { lockJob } from './get-job.ts';

/**
 * Writes what a task found, in place of an earlier result of the same task.
 *
 * @throws {JobNotFoundError}
 * @throws {JobStateConflictError} when the job is finished
 */
export const putTaskResult = (
  database: ResultsDatabase,
  result: NewTaskResult,
): Promise<{ result: TaskResult; created: boolean }> =>
  database.transaction(async (repositories) => {
    const job = await lockJob(repositories, result.jobId);
    assertAcceptsOutput(job.status);
    return repositories.taskResults.put(result);
  });
