import type { Artifact, NewArtifact } from '../../domain/jobs/artifact.ts';
import { assertAcceptsOutput } from '../../domain/jobs/docking-job.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import { lockForWriter } from './lock-for-writer.ts';

/** What a writer says of a file that a job made. */
export type ArtifactRequest = Omit<NewArtifact, 'note' | 'jobId' | 'leaseId'>;

type ArtifactOfJob = Omit<NewArtifact, 'note'>;

/**
 * Records a file that a job made.
 *
 * @throws {JobNotFoundError}
 * @throws {LeaseRequiredError} {LeaseLostError} when another worker holds the job
 * @throws {JobStateConflictError} when the job is finished
 */
export const addArtifact = (
  database: ResultsDatabase,
  actor: Actor,
  artifact: ArtifactOfJob,
): Promise<Artifact> =>
  database.transaction(async (repositories) => {
    const job = await lockForWriter(repositories, artifact.jobId, artifact.leaseId);
    assertAcceptsOutput(job.status);
    return writeArtifact(repositories, actor, artifact);
  });

/** Of a job that the caller has locked, and that takes output. */
export const writeArtifact = (
  { artifacts }: ResultsRepositories,
  actor: Actor,
  artifact: ArtifactOfJob,
): Promise<Artifact> => {
  const { jobId, name, purpose, uri } = artifact;
  const note = noteOf(actor, 'artifact.added', { job_id: jobId, name, purpose, uri });
  return artifacts.insert({ ...artifact, note });
};
