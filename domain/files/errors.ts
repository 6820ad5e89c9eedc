import { DomainError } from '../exceptions.ts';

/** Raised when the organization has no file of that name. Other organizations' files are none of it. */
export class FileNotFoundError extends DomainError {
  readonly code = 'file_not_found';

  constructor() {
    super('The organization has no such file.');
  }
}

/** Raised when a file has more bytes than the service takes; nothing of it is kept. */
export class FileTooLargeError extends DomainError {
  readonly code = 'file_too_large';

  constructor(maxBytes: number) {
    super(`The file is larger than ${maxBytes} bytes, the most that the service takes.`, {
      details: { max_bytes: maxBytes },
    });
  }
}

/** Raised when the bytes that came are not those that were announced; nothing of them is kept. */
export class DigestMismatchError extends DomainError {
  readonly code = 'digest_mismatch';

  constructor(problem = 'The bytes that came do not have the announced SHA-256.') {
    super(problem);
  }
}

/** Raised when an upload has ended: its time is over, or there never was one of that id. */
export class UploadExpiredError extends DomainError {
  readonly code = 'upload_expired';

  constructor() {
    super('This upload has expired. Begin another one.');
  }
}

/** Raised when an artifact's bytes are asked for, and the service does not keep them. */
export class ArtifactElsewhereError extends DomainError {
  readonly code = 'artifact_elsewhere';

  constructor() {
    super('The service does not keep the bytes of this artifact. Its uri says where they are.');
  }
}

/** Raised when an organization's files are to be deleted, and its database refers to them. */
export class FilesInUseError extends DomainError {
  readonly code = 'files_in_use';

  constructor() {
    super('The organization has a database, which refers to its files. Retire it first.');
  }
}

/** Raised when the store of the files' bytes cannot be reached, or has no room. */
export class FilesUnavailableError extends DomainError {
  readonly code = 'files_unavailable';

  constructor(cause: unknown) {
    super('The store of the files cannot be used.', { cause });
  }
}
