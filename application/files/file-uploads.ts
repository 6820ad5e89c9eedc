import { DigestMismatchError, FileTooLargeError, UploadExpiredError } from '../../domain/files/errors.ts';
import {
  UPLOAD_LIFETIME_MS,
  type FileLabel,
  type FileUpload,
  type StoredFile,
} from '../../domain/files/stored-file.ts';
import type { Bytes, PresignedUpload } from '../ports/files/file-store.ts';
import { assertQuota, filesQuota, keepFile, keepPlaced, type FilesCall, type KeptFile } from './keep-file.ts';
import { inspector, type ReceiveFileDeps } from './receive-file.ts';

export interface FileUploadDeps extends ReceiveFileDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface AnnouncedFile extends FileLabel {
  readonly sha256: string;
  readonly sizeBytes: number;
}

export type BegunUpload =
  | { readonly file: StoredFile }
  /** `presigned` is null when the bytes are sent to this service. */
  | { readonly upload: FileUpload; readonly presigned: PresignedUpload | null };

/**
 * Begins an upload in requests of its own, unless the organization has those bytes already.
 *
 * @throws {FileTooLargeError}
 * @throws {QuotaExceededError}
 */
export const beginUpload =
  (deps: FileUploadDeps) =>
  async (call: FilesCall, announced: AnnouncedFile): Promise<BegunUpload> => {
    const { fileStore, newUploadId, maxFileBytes, now } = deps;
    const { actor, organizationId, withDatabase } = call;
    const { sizeBytes, mediaType } = announced;
    if (sizeBytes > maxFileBytes) throw new FileTooLargeError(maxFileBytes);
    const upload = {
      ...announced,
      uploadId: newUploadId(),
      createdBy: actor.principal.userId,
      expiresAt: new Date(now() + UPLOAD_LIFETIME_MS),
    };
    const known = await withDatabase(async ({ files }) => {
      const file = await files.renew(announced.sha256);
      if (file !== null) return file;
      const limit = filesQuota(deps, organizationId);
      await assertQuota(files, { ...announced, limit, isCompleting: false });
      await files.addUpload(upload);
      return null;
    });
    if (known !== null) return { file: known };
    const lifetimeSeconds = UPLOAD_LIFETIME_MS / 1000;
    const options = { sizeBytes, mediaType, lifetimeSeconds };
    return { upload, presigned: await fileStore.presignUpload(organizationId, upload.uploadId, options) };
  };

/**
 * Takes the bytes of an upload that was begun, in place of those of an earlier try.
 *
 * @throws {UploadExpiredError}
 * @throws {DigestMismatchError} when there are more than announced
 */
export const receiveUpload =
  ({ fileStore }: FileUploadDeps) =>
  async ({ organizationId, withDatabase }: FilesCall, uploadId: string, bytes: Bytes): Promise<void> => {
    const { sizeBytes } = await findUpload(withDatabase, uploadId);
    try {
      const incoming = { bytes, maxBytes: sizeBytes, look: () => undefined };
      await fileStore.receive(organizationId, uploadId, incoming);
    } catch (error) {
      throw error instanceof FileTooLargeError ? new DigestMismatchError(TOO_MANY) : error;
    }
  };

/**
 * Ends an upload: reads what came, and keeps it under its name. Sent again, it answers with the file.
 *
 * @throws {UploadExpiredError}
 * @throws {DigestMismatchError} when other bytes came than were announced, or none
 * @throws {QuotaExceededError}
 */
export const completeUpload =
  (deps: FileUploadDeps) =>
  async (call: FilesCall, uploadId: string): Promise<KeptFile> => {
    const { fileStore } = deps;
    const { organizationId, withDatabase } = call;
    const upload = await findUpload(withDatabase, uploadId);
    const findKnown = () => withDatabase(({ files }) => files.renew(upload.sha256));
    const known = await findKnown();
    if (known !== null) {
      await fileStore.discard(organizationId, uploadId);
      return { file: known, created: false };
    }
    const { sha256, sizeBytes, mediaType, name } = upload;
    const { look, inspection } = inspector(upload);
    const received = await fileStore.measure(organizationId, uploadId, look);
    if (received === null) {
      // The same completion, sent twice, may have ended meanwhile.
      const file = await findKnown();
      return file === null ? keepPublished(deps, call, upload) : { file, created: false };
    }
    if (received.sha256 !== sha256 || received.sizeBytes !== sizeBytes) {
      await fileStore.discard(organizationId, uploadId);
      throw new DigestMismatchError();
    }
    return keepFile(deps, call, { ...received, uploadId, mediaType, name, inspection: inspection() });
  };

/**
 * Ends a completion that broke off, or is about to end: it took the bytes to their place, and did not say so yet.
 *
 * @throws {DigestMismatchError} when none are there
 */
const keepPublished = async (
  deps: FileUploadDeps,
  call: FilesCall,
  { uploadId, sha256, sizeBytes, mediaType, name }: FileUpload,
): Promise<KeptFile> => {
  const { fileStore } = deps;
  const { organizationId } = call;
  const assertPlaced = async (): Promise<void> => {
    if ((await fileStore.sizeOf(organizationId, sha256)) !== sizeBytes) throw new DigestMismatchError(NONE);
  };
  await assertPlaced();
  const { look, inspection } = inspector({ mediaType, name });
  const { bytes, close } = await fileStore.open(organizationId, sha256, null);
  try {
    for await (const chunk of bytes) look(chunk);
  } finally {
    close();
  }
  const kept = { sha256, sizeBytes, uploadId, mediaType, name, inspection: inspection() };
  return keepPlaced(deps, call, kept, async () => {
    // Announced, they stay; until then they could have been collected.
    await assertPlaced();
    // Others may have come under the upload meanwhile, which nobody measured.
    await fileStore.discard(organizationId, uploadId);
  });
};

const TOO_MANY = 'More bytes came than were announced.';
const NONE = 'No bytes have come for this upload.';

const findUpload = async (withDatabase: FilesCall['withDatabase'], uploadId: string): Promise<FileUpload> => {
  const upload = await withDatabase(({ files }) => files.findUpload(uploadId));
  if (upload === null) throw new UploadExpiredError();
  return upload;
};
