import type { Artifact } from '../../domain/jobs/artifact.ts';
import { outputJobId } from '../../domain/jobs/docking-job.ts';
import type { TaskResult } from '../../domain/jobs/task-result.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';
import { getJob } from './get-job.ts';

/** The job's task results, or its canonical job's when it was answered from the cache. @throws {JobNotFoundError} */
export const listTaskResults = async (
  database: ResultsRepositories,
  jobId: string,
): Promise<readonly TaskResult[]> =>
  database.taskResults.listByJob(outputJobId(await getJob(database, jobId)));

/** The job's artifacts, or its canonical job's when it was answered from the cache. @throws {JobNotFoundError} */
export const listArtifacts = async (
  database: ResultsRepositories,
  jobId: string,
): Promise<readonly Artifact[]> => database.artifacts.listByJob(outputJobId(await getJob(database, jobId)));
