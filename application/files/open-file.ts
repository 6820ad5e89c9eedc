import { ArtifactElsewhereError, FileNotFoundError } from '../../domain/files/errors.ts';
import type { StoredFile } from '../../domain/files/stored-file.ts';
import { getOutputJobId } from '../jobs/get-job.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';

/** @throws {FileNotFoundError} */
export const getFile = async ({ files }: ResultsRepositories, sha256: string): Promise<StoredFile> => {
  const file = await files.find(sha256);
  if (file === null) throw new FileNotFoundError();
  return file;
};

/**
 * The file with the bytes of an artifact, under the artifact's name and type. Of a job that another one answered for, it is
 * that one's artifact.
 *
 * @throws {JobNotFoundError}
 * @throws {FileNotFoundError} when the job has no such artifact
 * @throws {ArtifactElsewhereError} when the service does not keep its bytes
 */
export const getArtifactFile = async (
  repositories: ResultsRepositories,
  jobId: string,
  artifactId: string,
): Promise<StoredFile> => {
  const outputJobId = await getOutputJobId(repositories, jobId);
  const artifact = await repositories.artifacts.find(outputJobId, artifactId);
  if (artifact === null) throw new FileNotFoundError();
  if (artifact.sha256 === null) throw new ArtifactElsewhereError();
  const file = await getFile(repositories, artifact.sha256);
  return { ...file, name: artifact.name, mediaType: artifact.contentType ?? file.mediaType };
};
