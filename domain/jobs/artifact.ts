import type { WriteNote } from '../audit/audit-log.ts';
import type { Page, PageRequest } from '../page.ts';

/** The record of a file that a job made. The bytes are among the organization's files, or elsewhere. */
export interface Artifact {
  readonly artifactId: string;
  readonly jobId: string;
  readonly name: string;
  readonly purpose: string;
  readonly uri: string;
  /** Of the file with its bytes; null when they are elsewhere. */
  readonly sha256: string | null;
  readonly contentType: string | null;
  readonly sizeBytes: number | null;
  readonly checksum: string | null;
  readonly createdAt: Date;
}

/** The uri of an artifact whose bytes the service keeps. */
export const fileUri = (sha256: string): string => `mad:sha256:${sha256}`;

export type NewArtifact = Omit<Artifact, 'artifactId' | 'createdAt'> & {
  /** The lease under which it is written; null: none. What a lost lease has written is dropped. */
  readonly leaseId: string | null;
  readonly note: WriteNote;
};

export interface ArtifactRepository {
  insert(artifact: NewArtifact): Promise<Artifact>;
  /** As `insert`, of several in this order, no two of the same job and name. */
  insertAll(artifacts: readonly NewArtifact[]): Promise<void>;
  find(jobId: string, artifactId: string): Promise<Artifact | null>;
  /** The first of each name. What lost attempts have made is dropped, so they are the present one's. */
  findByNames(keys: readonly Pick<Artifact, 'jobId' | 'name'>[]): Promise<readonly Artifact[]>;
  /** @returns the SHA-256 of each artifact whose bytes the service keeps, by the artifact's id */
  filesOf(artifactIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** In the order they were made. A key is a sequence number. */
  listByJob(jobId: string, page: PageRequest<string>): Promise<Page<Artifact, string>>;
}
