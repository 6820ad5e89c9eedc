import type { Artifact } from '../../domain/jobs/artifact.ts';
import { assertAcceptsOutput } from '../../domain/jobs/docking-job.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';
import { lockJob } from './get-job.ts';

/**
 * Records a file that a job made.
 *
 * @throws {JobNotFoundError}
 * @throws {JobStateConflictError} when the job is finished
 */
export const addArtifact = (
  database: ResultsDatabase,
  actor: Actor,
  artifact: Omit<Artifact, 'artifactId' | 'createdAt'>,
): Promise<Artifact> =>
  database.transaction(async (repositories) => {
    const job = await lockJob(repositories, artifact.jobId);
    assertAcceptsOutput(job.status);
    const { jobId, name, purpose, uri } = artifact;
    const note = noteOf(actor, 'artifact.added', { job_id: jobId, name, purpose, uri });
    return repositories.artifacts.insert({ ...artifact, note });
  });
