import type { PdbqtInspection } from './pdbqt.ts';

/** How inputs and artifacts name bytes that the service keeps. */
export const FILE_PREFIX = 'sha256:';
export const FILE_NAME_PATTERN = /^sha256:[0-9a-f]{64}$/;

export const MAX_FILE_NAME_LENGTH = 255;

export const DEFAULT_MEDIA_TYPE = 'application/octet-stream';

/** Bytes of one organization, under their SHA-256. */
export interface StoredFile {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** What the first uploader called it: a label, which is no part of any path. */
  readonly name: string | null;
  /** Null for a format that the service does not know. */
  readonly inspection: PdbqtInspection | null;
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** What a caller says of bytes that it sends. */
export interface FileLabel {
  readonly mediaType: string;
  readonly name: string | null;
}

/** Position in the list of files: newest first, ties broken by the hash. */
export interface FileKey {
  readonly createdAt: Date;
  readonly sha256: string;
}

/** A file that is to be uploaded in a request of its own. */
export interface FileUpload extends FileLabel {
  readonly uploadId: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly createdBy: string;
  readonly expiresAt: Date;
}

/** Files that nothing refers to are kept for this long after their last upload. */
export const UNREFERENCED_GRACE_MS = 24 * 3_600_000;

/** How long an announced upload may take. */
export const UPLOAD_LIFETIME_MS = 3_600_000;

/** Bytes that nobody has written to for this long, and that have no name yet, belong to no upload that can still end. */
export const ABANDONED_AFTER_MS = 2 * UPLOAD_LIFETIME_MS;
