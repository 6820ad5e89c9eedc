import { ValidationError } from '../../domain/validation-error.ts';
import { fileUri, type Artifact } from '../../domain/jobs/artifact.ts';
import { assertAcceptsOutput } from '../../domain/jobs/docking-job.ts';
import { ArtifactAlreadyExistsError } from '../../domain/jobs/errors.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import { lockForWriter } from './lock-for-writer.ts';

/** Bytes that are elsewhere. */
interface ElsewhereArtifact {
  readonly uri: string;
  readonly contentType: string | null;
  readonly sizeBytes: number | null;
  readonly checksum: string | null;
}

/** Bytes that the service keeps: their size and checksum are known. */
interface KeptArtifact {
  readonly sha256: string;
  /** Null: as the file was uploaded. */
  readonly contentType: string | null;
}

export type ArtifactSource = ElsewhereArtifact | KeptArtifact;

export interface ArtifactRequest {
  readonly name: string;
  readonly purpose: string;
  readonly source: ArtifactSource;
}

/** @property leaseId the writer's lease; null: none */
interface ArtifactOfJob extends ArtifactRequest {
  readonly jobId: string;
  readonly leaseId: string | null;
}

/** `created` is false for a request that was sent again. */
export interface AddedArtifact {
  readonly artifact: Artifact;
  readonly created: boolean;
}

/**
 * Records a file that a job made. Sent again, it answers with the first record.
 *
 * @throws {JobNotFoundError}
 * @throws {LeaseRequiredError} when another worker holds the job and the writer names no lease
 * @throws {LeaseLostError} when the lease does not hold the job
 * @throws {JobStateConflictError} when the job is finished
 * @throws {ArtifactAlreadyExistsError} when the job has another one of that name
 * @throws {ValidationError} naming `file`, when the organization has no such file
 */
export const addArtifact = (
  database: ResultsDatabase,
  actor: Actor,
  artifact: ArtifactOfJob,
): Promise<AddedArtifact> =>
  database.transaction(async (repositories) => {
    const job = await lockForWriter(repositories, artifact.jobId, artifact.leaseId);
    assertAcceptsOutput(job.status);
    return writeArtifact(repositories, actor, artifact);
  });

/**
 * As `addArtifact`, of a job that the caller has locked and that takes output.
 *
 * @param path of the artifact's `file` in the request
 */
export const writeArtifact = async (
  repositories: ResultsRepositories,
  actor: Actor,
  { jobId, leaseId, name, purpose, source }: ArtifactOfJob,
  path = 'file',
): Promise<AddedArtifact> => {
  const { artifacts } = repositories;
  const place = await placeOf(repositories, source, path);
  const earlier = await artifacts.findByName(jobId, name);
  if (earlier !== null) {
    if (earlier.uri !== place.uri || earlier.purpose !== purpose) throw new ArtifactAlreadyExistsError();
    return { artifact: earlier, created: false };
  }
  const note = noteOf(actor, 'artifact.added', { job_id: jobId, name, purpose, uri: place.uri });
  const artifact = await artifacts.insert({ jobId, leaseId, name, purpose, ...place, note });
  return { artifact, created: true };
};

type Place = Pick<Artifact, 'uri' | 'sha256' | 'contentType' | 'sizeBytes' | 'checksum'>;

const placeOf = async (
  { files }: ResultsRepositories,
  source: ArtifactSource,
  path: string,
): Promise<Place> => {
  if (!('sha256' in source)) return { ...source, sha256: null };
  const { sha256, contentType } = source;
  const file = (await files.hold([sha256])).get(sha256);
  if (file === undefined) throw new ValidationError([{ path, message: 'names no file of the organization' }]);
  return {
    uri: fileUri(sha256),
    sha256,
    contentType: contentType ?? file.mediaType,
    sizeBytes: file.sizeBytes,
    checksum: `sha256:${sha256}`,
  };
};
