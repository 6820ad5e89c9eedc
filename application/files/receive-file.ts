import { DigestMismatchError } from '../../domain/files/errors.ts';
import { callsItselfPdbqt, PdbqtReader, type PdbqtInspection } from '../../domain/files/pdbqt.ts';
import type { FileLabel } from '../../domain/files/stored-file.ts';
import type { Bytes, Look } from '../ports/files/file-store.ts';
import { keepFile, type FilesCall, type KeepFileDeps, type KeptFile } from './keep-file.ts';

export interface ReceiveFileDeps extends KeepFileDeps {
  readonly newUploadId: () => string;
  readonly maxFileBytes: number;
}

export interface IncomingFile extends FileLabel {
  readonly bytes: Bytes;
  /** What the sender says of the bytes; null: nothing. */
  readonly sha256: string | null;
}

/**
 * Takes the bytes of a file from a request, and keeps them. Nothing is leased while they come. What fails leaves nothing.
 *
 * @throws {FileTooLargeError}
 * @throws {DigestMismatchError}
 * @throws {QuotaExceededError}
 */
export const receiveFile =
  (deps: ReceiveFileDeps) =>
  async (call: FilesCall, { bytes, sha256, mediaType, name }: IncomingFile): Promise<KeptFile> => {
    const { fileStore, newUploadId, maxFileBytes } = deps;
    const { organizationId } = call;
    const uploadId = newUploadId();
    const { look, inspection } = inspector({ mediaType, name });
    const incoming = { bytes, maxBytes: maxFileBytes, look };
    const received = await fileStore.receive(organizationId, uploadId, incoming);
    try {
      if (sha256 !== null && sha256 !== received.sha256) throw new DigestMismatchError();
      const upload = { ...received, uploadId, mediaType, name, inspection: inspection() };
      return await keepFile(deps, call, upload);
    } catch (error) {
      await fileStore.discard(organizationId, uploadId).catch(() => undefined);
      throw error;
    }
  };

interface Inspector {
  readonly look: Look;
  /** Call it when all bytes have passed. */
  readonly inspection: () => PdbqtInspection | null;
}

/** Looks at bytes of formats that are known. */
export const inspector = ({ mediaType, name }: FileLabel): Inspector => {
  if (!callsItselfPdbqt(name, mediaType)) return { look: () => undefined, inspection: () => null };
  const reader = new PdbqtReader();
  const decoder = new TextDecoder('latin1');
  return { look: (chunk) => reader.push(decoder.decode(chunk)), inspection: () => reader.finish() };
};
