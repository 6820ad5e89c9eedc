import { ValidationError } from '../../domain/validation-error.ts';
import type { StoredFile } from '../../domain/files/stored-file.ts';
import { fileUri, type Artifact, type NewArtifact } from '../../domain/jobs/artifact.ts';
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

const writeArtifact = async (
  repositories: ResultsRepositories,
  actor: Actor,
  artifact: ArtifactOfJob,
): Promise<AddedArtifact> => {
  const { artifacts } = repositories;
  const made = newArtifact(actor, artifact, await filesOf(repositories, [artifact]), 'file');
  const [earlier] = await artifacts.findByNames([artifact]);
  if (earlier === undefined) return { artifact: await artifacts.insert(made), created: true };
  assertSame(earlier, made);
  return { artifact: earlier, created: false };
};

/** @property path of the artifact's `file` in the request */
export interface PlacedArtifact {
  readonly artifact: ArtifactOfJob;
  readonly path: string;
}

/** As `addArtifact`, of jobs that the caller has locked and that take output. However many they are, it asks three times. */
export const writeArtifacts = async (
  repositories: ResultsRepositories,
  actor: Actor,
  placed: readonly PlacedArtifact[],
): Promise<void> => {
  if (placed.length === 0) return;
  const { artifacts } = repositories;
  const sent = placed.map(({ artifact }) => artifact);
  const files = await filesOf(repositories, sent);
  const known = new Map<string, ComparedArtifact>();
  for (const earlier of await artifacts.findByNames(sent)) known.set(keyOf(earlier), earlier);
  const made: NewArtifact[] = [];
  for (const { artifact, path } of placed) {
    const next = newArtifact(actor, artifact, files, path);
    const earlier = known.get(keyOf(next));
    if (earlier !== undefined) assertSame(earlier, next);
    else {
      known.set(keyOf(next), next);
      made.push(next);
    }
  }
  if (made.length > 0) await artifacts.insertAll(made);
};

type ComparedArtifact = Pick<Artifact, 'uri' | 'purpose'>;

const keyOf = ({ jobId, name }: Pick<Artifact, 'jobId' | 'name'>): string => `${jobId}/${name}`;

/** @throws {ArtifactAlreadyExistsError} */
const assertSame = (one: ComparedArtifact, other: ComparedArtifact): void => {
  if (one.uri !== other.uri || one.purpose !== other.purpose) throw new ArtifactAlreadyExistsError();
};

/** Those that the service keeps, with one statement. */
const filesOf = async (
  { files }: ResultsRepositories,
  artifacts: readonly Pick<ArtifactRequest, 'source'>[],
): Promise<ReadonlyMap<string, StoredFile>> => {
  const hashes = artifacts.flatMap(({ source }) => ('sha256' in source ? [source.sha256] : []));
  return hashes.length === 0 ? new Map() : files.hold([...new Set(hashes)]);
};

/** @throws {ValidationError} when its file is not among the organization's */
const newArtifact = (
  actor: Actor,
  { jobId, leaseId, name, purpose, source }: ArtifactOfJob,
  files: ReadonlyMap<string, StoredFile>,
  path: string,
): NewArtifact => {
  const place = placeOf(files, source, path);
  const note = noteOf(actor, 'artifact.added', { job_id: jobId, name, purpose, uri: place.uri });
  return { jobId, leaseId, name, purpose, ...place, note };
};

type Place = Pick<Artifact, 'uri' | 'sha256' | 'contentType' | 'sizeBytes' | 'checksum'>;

const placeOf = (files: ReadonlyMap<string, StoredFile>, source: ArtifactSource, path: string): Place => {
  if (!('sha256' in source)) return { ...source, sha256: null };
  const { sha256, contentType } = source;
  const file = files.get(sha256);
  if (file === undefined) throw new ValidationError([{ path, message: 'names no file of the organization' }]);
  return {
    uri: fileUri(sha256),
    sha256,
    contentType: contentType ?? file.mediaType,
    sizeBytes: file.sizeBytes,
    checksum: `sha256:${sha256}`,
  };
};
