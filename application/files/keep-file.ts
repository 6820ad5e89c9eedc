import type { NewFile } from '../../domain/files/file-repository.ts';
import type { FileLabel, StoredFile } from '../../domain/files/stored-file.ts';
import type { PdbqtInspection } from '../../domain/files/pdbqt.ts';
import { QuotaExceededError } from '../../domain/organizations/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsRepositories, WithDatabase } from '../ports/databases/results-database.ts';
import type { CollectAtUploads } from './collect-at-uploads.ts';
import type { FileStore, ReceivedBytes } from '../ports/files/file-store.ts';
import type { OrganizationPolicies } from '../ports/runtime/organization-policies.ts';

export interface KeepFileDeps {
  readonly fileStore: FileStore;
  readonly policies: Pick<OrganizationPolicies, 'policyOf'>;
  /** The most of any organization; its own settings may ask for less. */
  readonly maxFilesBytes: number;
  readonly collector: Pick<CollectAtUploads, 'afterUpload'>;
}

/** Who works with whose files. */
export interface FilesCall {
  readonly actor: Actor;
  readonly organizationId: OrganizationId;
  readonly withDatabase: WithDatabase;
}

/** Bytes that were received under the id of an upload, and what is known of them. */
export interface KeptUpload extends ReceivedBytes, FileLabel {
  readonly uploadId: string;
  readonly inspection: PdbqtInspection | null;
}

export interface MeasuredUpload extends KeptUpload {
  /** Of bytes that were measured after others could have been sent in their place. */
  readonly version?: string;
}

export interface KeptFile {
  readonly file: StoredFile;
  /** False when the organization had those bytes already. */
  readonly created: boolean;
}

/**
 * Gives received bytes their name: first the row that announces them, then the bytes into their place, then the row that
 * says so. A process that dies in between leaves nothing that anyone sees. Decision 0046. Bytes that the store has lost are put
 * back by whoever sends them again.
 *
 * @throws {QuotaExceededError}
 * @throws {DigestMismatchError} when other bytes came under the same upload meanwhile
 */
export const keepFile = (
  deps: KeepFileDeps,
  call: FilesCall,
  { version, ...upload }: MeasuredUpload,
): Promise<KeptFile> =>
  keepPlaced(deps, call, upload, () =>
    deps.fileStore.publish(call.organizationId, upload.uploadId, upload.sha256, version),
  );

/** @param place sees to it that the announced bytes are in their place */
export const keepPlaced = async (
  deps: KeepFileDeps,
  { actor, organizationId, withDatabase }: FilesCall,
  { uploadId, ...upload }: KeptUpload,
  place: () => Promise<void>,
): Promise<KeptFile> => {
  const { fileStore, collector } = deps;
  const { sha256, sizeBytes } = upload;
  const limit = filesQuota(deps, organizationId);
  const known = await withDatabase(async ({ files }) => {
    await assertQuota(files, { sha256, sizeBytes, limit, isCompleting: true });
    return files.announce({ ...upload, createdBy: actor.principal.userId } satisfies NewFile);
  });
  if (known !== null && (await fileStore.sizeOf(organizationId, sha256)) === sizeBytes) {
    await fileStore.discard(organizationId, uploadId);
    return { file: known, created: false };
  }
  await place();
  if (known !== null) return { file: known, created: false };
  const note = noteOf(actor, 'file.added', { size_bytes: sizeBytes, media_type: upload.mediaType });
  const file = await withDatabase(({ files }) => files.settle(sha256, note));
  await collector.afterUpload(organizationId, withDatabase);
  return { file, created: true };
};

/** Bytes that the organization's files may have together. */
export const filesQuota = (
  { policies, maxFilesBytes }: Pick<KeepFileDeps, 'policies' | 'maxFilesBytes'>,
  organizationId: OrganizationId,
): number => Math.min(policies.policyOf(organizationId).maxFilesBytes ?? Infinity, maxFilesBytes);

/**
 * Bytes that are there already take no more room; those that an upload may still bring do. Files that are sent at the same
 * moment do not see each other: together they may exceed the quota.
 *
 * @throws {QuotaExceededError}
 */
export const assertQuota = async (
  files: ResultsRepositories['files'],
  {
    sha256,
    sizeBytes,
    limit,
    isCompleting,
  }: ReceivedBytes & { readonly limit: number; readonly isCompleting: boolean },
): Promise<void> => {
  // A try that broke off may have announced them.
  const others = await files.totalBytes({ sha256, uploads: isCompleting });
  if (others + sizeBytes <= limit) return;
  if ((await files.find(sha256)) === null) throw new QuotaExceededError('max_files_bytes', limit);
};
