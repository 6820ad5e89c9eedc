import type { WriteNote } from '../audit/audit-log.ts';
import type { Page, PageRequest } from '../page.ts';

/** The record of a file that a job made. The file itself is kept elsewhere. */
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

export type NewArtifact = Omit<Artifact, 'artifactId' | 'createdAt'> & {
  /** The lease under which it is written; null: none. What a lost lease has written is dropped. */
  readonly leaseId: string | null;
  readonly note: WriteNote;
};

export interface ArtifactRepository {
  insert(artifact: NewArtifact): Promise<Artifact>;
  /** In the order they were made. A key is a sequence number. */
  listByJob(jobId: string, page: PageRequest<string>): Promise<Page<Artifact, string>>;
}
