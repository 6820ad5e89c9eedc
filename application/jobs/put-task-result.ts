import { assertAcceptsOutput } from '../../domain/jobs/docking-job.ts';
import { scoreOf, type Pose, type SuspectReason } from '../../domain/jobs/score.ts';
import type { NewTaskResult, TaskResult } from '../../domain/jobs/task-result.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';
import { lockForWriter } from './lock-for-writer.ts';

/** What a writer says of what a task found. */
export interface TaskResultRequest extends Omit<
  NewTaskResult,
  'note' | 'jobId' | 'leaseId' | 'poses' | 'score'
> {
  /** In any order. */
  readonly poses: readonly Pose[];
  /** Why the writer doubts them. */
  readonly reported: readonly SuspectReason[];
}

type TaskResultOfJob = TaskResultRequest & Pick<NewTaskResult, 'jobId' | 'leaseId'>;

interface Written {
  readonly result: TaskResult;
  readonly created: boolean;
}

/**
 * Writes what a task found, in place of an earlier result of the same task.
 *
 * @throws {JobNotFoundError}
 * @throws {LeaseRequiredError} when another worker holds the job and the writer names no lease
 * @throws {LeaseLostError} when the lease does not hold the job
 * @throws {JobStateConflictError} when the job is finished
 */
export const putTaskResult = (
  database: ResultsDatabase,
  actor: Actor,
  result: TaskResultOfJob,
): Promise<Written> =>
  database.transaction(async (repositories) => {
    const job = await lockForWriter(repositories, result.jobId, result.leaseId);
    assertAcceptsOutput(job.status);
    return repositories.taskResults.put(newTaskResult(actor, result));
  });

/** The result as it is kept, of a job that the caller has locked, and that takes output. */
export const newTaskResult = (
  actor: Actor,
  { poses, reported, ...result }: TaskResultOfJob,
): NewTaskResult => {
  const { jobId, taskName, serviceName, confidenceScore } = result;
  const note = noteOf(actor, 'task_result.written', {
    job_id: jobId,
    task_name: taskName,
    service_name: serviceName,
    confidence_score: confidenceScore,
  });
  return {
    ...result,
    poses: poses.toSorted((one, other) => one.rank - other.rank),
    score: scoreOf(poses, reported),
    note,
  };
};
