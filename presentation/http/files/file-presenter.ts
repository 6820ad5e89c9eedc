import type { z } from 'zod';
import type { FileUpload, StoredFile } from '../../../domain/files/stored-file.ts';
import type { PresignedUpload } from '../../../application/ports/files/file-store.ts';
import type { fileReply, uploadReply } from './file-schema.ts';

export const presentFile = (file: StoredFile): z.output<typeof fileReply> => ({
  sha256: file.sha256,
  size_bytes: file.sizeBytes,
  media_type: file.mediaType,
  name: file.name,
  kind: file.inspection?.kind ?? null,
  findings: (file.inspection?.findings ?? []).map(({ severity, line, message }) => ({
    severity,
    line,
    message,
  })),
  created_by: file.createdBy,
  created_at: file.createdAt.toISOString(),
});

export const presentUpload = (
  { uploadId, mediaType, sizeBytes, expiresAt }: FileUpload,
  presigned: PresignedUpload | null,
  ownUrl: string,
): z.output<typeof uploadReply> => ({
  upload_id: uploadId,
  method: 'PUT',
  url: presigned?.url ?? ownUrl,
  headers: presigned?.headers ?? { 'Content-Type': mediaType, 'Content-Length': String(sizeBytes) },
  expires_at: expiresAt.toISOString(),
});
