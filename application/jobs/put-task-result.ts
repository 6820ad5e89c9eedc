import { assertAcceptsOutput } from '../../domain/jobs/docking-job.ts';
import { scoreOf, type Pose, type SuspectReason } from '../../domain/jobs/score.ts';
import type { NewTaskResult, TaskResult } from '../../domain/jobs/task-result.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';
import { lockJob } from './get-job.ts';

export type TaskResultRequest = Omit<NewTaskResult, 'note' | 'score' | 'poses'> & {
  /** In any order. */
  readonly poses: readonly Pose[];
  /** Why the worker doubts what it found. */
  readonly reported: readonly SuspectReason[];
};

/**
 * Writes what a task found, in place of an earlier result of the same task.
 *
 * @throws {JobNotFoundError}
 * @throws {JobStateConflictError} when the job is finished
 */
export const putTaskResult = (
  database: ResultsDatabase,
  actor: Actor,
  { poses, reported, ...result }: TaskResultRequest,
): Promise<{ result: TaskResult; created: boolean }> =>
  database.transaction(async (repositories) => {
    const job = await lockJob(repositories, result.jobId);
    assertAcceptsOutput(job.status);
    const { jobId, taskName, serviceName, confidenceScore } = result;
    const note = noteOf(actor, 'task_result.written', {
      job_id: jobId,
      task_name: taskName,
      service_name: serviceName,
      confidence_score: confidenceScore,
    });
    return repositories.taskResults.put({
      ...result,
      poses: poses.toSorted((one, other) => one.rank - other.rank),
      score: scoreOf(poses, reported),
      note,
    });
  });
