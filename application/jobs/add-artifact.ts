import { ValidationError } from '../../domain/validation-error.ts';
import { fileUri, type Artifact } from '../../domain/jobs/artifact.ts';
import { assertAcceptsOutput, type JobSummary } from '../../domain/jobs/docking-job.ts';
import { ArtifactAlreadyExistsError } from '../../domain/jobs/errors.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase, ResultsRepositories } from '../ports/databases/results-database.ts';
import { lockJob } from './get-job.ts';

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

/** `created` is false for a request that was sent again. */
export interface AddedArtifact {
  readonly artifact: Artifact;
  readonly created: boolean;
}

/**
 * Records a file that a job made. Sent again, it answers with the first record.
 *
 * @throws {JobNotFoundError}
 * @throws {JobStateConflictError} when the job is finished
 * @throws {ArtifactAlreadyExistsError} when the job's attempt has made another one of that name
 * @throws {ValidationError} naming `file`, when the organization has no such file
 */
export const addArtifact = (
  database: ResultsDatabase,
  actor: Actor,
  jobId: string,
  request: ArtifactRequest,
): Promise<AddedArtifact> =>
  database.transaction(async (repositories) => {
    const job = await lockJob(repositories, jobId);
    assertAcceptsOutput(job.status);
    return recordArtifact(repositories, actor, job, request);
  });

/** As `addArtifact`, of a job that the caller has locked and that takes output. */
export const recordArtifact = async (
  repositories: ResultsRepositories,
  actor: Actor,
  { jobId, attempt }: Pick<JobSummary, 'jobId' | 'attempt'>,
  { name, purpose, source }: ArtifactRequest,
): Promise<AddedArtifact> => {
  const { artifacts } = repositories;
  const place = await placeOf(repositories, source);
  const earlier = await artifacts.findByName(jobId, attempt, name);
  if (earlier !== null) {
    if (earlier.uri !== place.uri || earlier.purpose !== purpose) throw new ArtifactAlreadyExistsError();
    return { artifact: earlier, created: false };
  }
  const note = noteOf(actor, 'artifact.added', { job_id: jobId, name, purpose, uri: place.uri });
  return {
    artifact: await artifacts.insert({ jobId, attempt, name, purpose, ...place, note }),
    created: true,
  };
};

type Place = Pick<Artifact, 'uri' | 'sha256' | 'contentType' | 'sizeBytes' | 'checksum'>;

const placeOf = async ({ files }: ResultsRepositories, source: ArtifactSource): Promise<Place> => {
  if (!('sha256' in source)) return { ...source, sha256: null };
  const { sha256, contentType } = source;
  const file = (await files.hold([sha256])).get(sha256);
  if (file === undefined)
    throw new ValidationError([{ path: 'file', message: 'names no file of the organization' }]);
  return {
    uri: fileUri(sha256),
    sha256,
    contentType: contentType ?? file.mediaType,
    sizeBytes: file.sizeBytes,
    checksum: `sha256:${sha256}`,
  };
};
