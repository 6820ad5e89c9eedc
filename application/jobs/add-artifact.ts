import type { Artifact, NewArtifact } from '../../domain/jobs/artifact.ts';
import { assertAcceptsOutput } from '../../domain/jobs/docking-job.ts';
import type { ResultsDatabase } from '../ports/results-database.ts';
import { lockJob } from './get-job.ts';

/**
 * Records a file that a job made.
 *
 * @throws {JobNotFoundError}
 * @throws {JobStateConflictError} when the job is finished
 */
export const addArtifact = (database: ResultsDatabase, artifact: NewArtifact): Promise<Artifact> =>
  database.transaction(async (repositories) => {
    const job = await lockJob(repositories, artifact.jobId);
    assertAcceptsOutput(job.status);
    return repositories.artifacts.insert(artifact);
  });
