import { z } from 'zod';
import { DEFAULT_MEDIA_TYPE, type FileKey } from '../../../domain/files/stored-file.ts';
import { cursorOf, momentMs } from '../request/schema/cursor.ts';
import { fileHeaders, fileLabel as name } from '../request/schema/file-headers.ts';
import { count, limit, mediaType, pageOf, redirect, timestamp, uuid } from '../request/schema/fields.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits in lower case');

/** In a path: as it is, or as inputs and artifacts name a file. */
const sha256 = z
  .string()
  .regex(/^(?:sha256:)?[0-9a-f]{64}$/, 'must be the SHA-256 of a file: 64 hex digits in lower case')
  .transform((text) => text.slice(-64))
  .meta({ override: { type: 'string', pattern: '^(?:sha256:)?[0-9a-f]{64}$' } });

/** Files are listed newest first. A key is the moment of the first upload in milliseconds, and the hash. */
export const fileCursor = cursorOf(
  z.tuple([momentMs, hash]),
  ({ createdAt, sha256: of }: FileKey): [number, string] => [createdAt.getTime(), of],
  ([createdAtMs, of]): FileKey => ({ createdAt: new Date(createdAtMs), sha256: of }),
);

export const fileRequest = {
  params: z.object({ sha256 }),
  query: z.strictObject({
    name: name.optional().meta({ description: 'What a browser shall call it' }),
    redirect,
  }),
};
export const sendRequest = { headers: fileHeaders };
export const listRequest = { query: z.strictObject({ limit, cursor: fileCursor.schema }) };
export const beginRequest = {
  body: z
    .strictObject({
      sha256: hash,
      size_bytes: count,
      media_type: mediaType.default(DEFAULT_MEDIA_TYPE),
      name: name.optional(),
    })
    .meta({
      example: {
        sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        size_bytes: 0,
        media_type: 'chemical/x-pdbqt',
        name: '1iep_receptor.pdbqt',
      },
    }),
};
export const uploadRequest = { params: z.object({ upload_id: uuid }) };

export const fileReply = z
  .strictObject({
    sha256: z.string(),
    size_bytes: count,
    media_type: z.string(),
    name: z.string().nullable(),
    kind: z
      .enum(['ligand', 'receptor', 'flexible_residues', 'poses'])
      .nullable()
      .meta({ description: 'What a PDBQT file is for; null for other formats' }),
    findings: z.array(
      z.strictObject({
        severity: z.enum(['error', 'warning']),
        line: z.int().nullable(),
        message: z.string(),
      }),
    ),
    created_by: z.string(),
    created_at: timestamp,
  })
  .meta({ id: 'File' });
export const filePage = pageOf(fileReply).meta({ id: 'FilePage' });
/** What a form with one file gives is the file; with several, all of them. */
export const sentReply = z.union([fileReply, z.strictObject({ items: z.array(fileReply) })]);
export const uploadReply = z
  .strictObject({
    upload_id: z.guid(),
    method: z.literal('PUT'),
    url: z.string().meta({
      description: 'Of the store, to be used without a token; or a path of this service, to be used with it',
    }),
    headers: z.record(z.string(), z.string()).meta({ description: 'To be sent with the bytes' }),
    expires_at: timestamp,
  })
  .meta({ id: 'FileUpload' });
