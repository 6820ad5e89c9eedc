import type { WriteNote } from '../audit/audit-log.ts';

/** A file that a job made, kept elsewhere: this is its record. */
export interface Artifact {
  readonly artifactId: string;
  readonly jobId: string;
  readonly name: string;
  readonly purpose: string;
  readonly uri: string;
  readonly contentType: string | null;
  readonly sizeBytes: number | null;
  readonly checksum: string | null;
  readonly createdAt: Date;
}

export type NewArtifact = Omit<Artifact, 'artifactId' | 'createdAt'> & { readonly note: WriteNote };

export interface ArtifactRepository {
  insert(artifact: NewArtifact): Promise<Artifact>;
  /** In the order they were made. */
  listByJob(jobId: string): Promise<readonly Artifact[]>;
}
