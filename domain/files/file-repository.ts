import type { WriteNote } from '../audit/audit-log.ts';
import type { PagePart, PartRequest } from '../page.ts';
import type { FileReference } from './file-reference.ts';
import type { FileKey, FileUpload, StoredFile } from './stored-file.ts';

export type NewFile = Omit<StoredFile, 'createdAt'>;

/**
 * The files of one organization, as rows. A row is `arriving` until its bytes are in place, then `stored`; one that is
 * collected is `deleting` until its bytes are gone. Only stored files exist for callers. Decision 0046.
 */
export interface FileRepository {
  /** Null unless it is stored. */
  find(sha256: string): Promise<StoredFile | null>;
  /** As `find`. Puts off its collection as well: the caller is told that it need not send the bytes. */
  renew(sha256: string): Promise<StoredFile | null>;
  list(part: PartRequest<FileKey>): Promise<PagePart<StoredFile, FileKey>>;
  /**
   * Bytes of all files that are stored or arriving, and of those that uploads may still bring.
   *
   * @param beside a file that is left out, for it is about to come again; its `uploads` as well when one of them is being
   *   completed
   */
  totalBytes(beside: { readonly sha256: string; readonly uploads: boolean } | null): Promise<number>;
  /**
   * Announces bytes that are about to be put into place: from here on nobody deletes them. Puts off the collection of a
   * file that is there, and keeps what was not known of its format. Returns the file when it is stored already.
   */
  announce(file: NewFile): Promise<StoredFile | null>;
  /** Makes an announced file a stored one. The caller has put its bytes into place. */
  settle(sha256: string, note: WriteNote): Promise<StoredFile>;
  /**
   * The stored ones among these files, by their hashes. None of them is collected before the transaction ends.
   * Use it in a transaction, before `refer`.
   */
  hold(hashes: readonly string[]): Promise<ReadonlyMap<string, StoredFile>>;
  /** Records which files jobs refer to, in one statement. */
  refer(references: readonly (FileReference & { readonly jobId: string })[]): Promise<void>;

  addUpload(upload: FileUpload): Promise<void>;
  /** Null when its time is over. */
  findUpload(uploadId: string): Promise<FileUpload | null>;

  /**
   * Marks files for deletion that no job, artifact or campaign refers to and nobody has uploaded since, and forgets uploads
   * of that age.
   * Returns all that are marked, those of earlier attempts included. Use it in a transaction.
   */
  markUnreferenced(before: Date, limit: number): Promise<readonly string[]>;
  /**
   * Locks the row of a marked file and returns true; false when somebody uploads it again. Use it in the transaction that
   * deletes its bytes and then calls `forget`.
   */
  lockMarked(sha256: string): Promise<boolean>;
  forget(sha256: string): Promise<void>;
}
