import { getFile } from '../../../application/files/open-file.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import { ValidationError } from '../../../domain/validation-error.ts';
import type { ErrorCode } from '../errors/error-status.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, noContent, ok } from '../request/reply.ts';
import { presentPage } from '../request/schema/cursor.ts';
import { filesRoute, resultsRoute, type Route } from '../routing/route.ts';
import { contentReply, CONTENT_ERRORS, CONTENT_REPLIES } from '../routing/content-reply.ts';
import { presentFile, presentUpload } from './file-presenter.ts';
import {
  beginRequest,
  fileCursor,
  filePage,
  fileReply,
  fileRequest,
  listRequest,
  sendRequest,
  sentReply,
  uploadReply,
  uploadRequest,
} from './file-schema.ts';
import { bodyBytes, bodyFile, formFiles, isForm } from '../request/incoming-files.ts';

const tag = 'files';
const path = '/organizations/{org_id}/files';

/** All who submit jobs or work on them. */
const SENDERS = ['member', 'org_admin', 'worker'] as const;
const SENDING_ERRORS: readonly ErrorCode[] = ['file_too_large', 'digest_mismatch', 'quota_exceeded'];
const BYTES_ERRORS: readonly ErrorCode[] = ['unsupported_media_type', 'malformed_request'];

export const fileRoutes = (deps: HttpDependencies): readonly Route[] => [
  sendFileRoute(deps),
  listFilesRoute(),
  beginUploadRoute(deps),
  sendUploadRoute(deps),
  completeUploadRoute(deps),
  readFileRoute(deps),
];

const sendFileRoute = ({ receiveFile }: HttpDependencies): Route =>
  filesRoute(SENDERS, {
    method: 'post',
    path,
    name: 'sendFile',
    summary: 'Send a file: its bytes as the body, or a form with one or more fields "file"',
    tag,
    request: sendRequest,
    receivesBytes: true,
    replies: {
      200: { description: 'The organization has those bytes already', schema: sentReply },
      201: { description: 'The new file; of a form with several files, all of them', schema: sentReply },
    },
    errors: [...SENDING_ERRORS, ...BYTES_ERRORS],
    handle: async ({ input: { headers }, home, request, ...call }) => {
      if (!isForm(request)) {
        const { file, created: isNew } = await receiveFile(call, bodyFile(request, headers));
        const body = presentFile(file);
        return isNew ? created(body, `${home}/files/${file.sha256}`) : ok(body);
      }
      if (headers['Content-Digest'] !== null)
        throw new ValidationError([{ path: 'Content-Digest', message: 'must be left out with a form' }]);
      const sent = [];
      for await (const incoming of formFiles(request)) sent.push(await receiveFile(call, incoming));
      const [only] = sent;
      if (only === undefined) throw new ValidationError([{ path: 'file', message: 'is required' }]);
      const isNew = sent.some((one) => one.created);
      if (sent.length === 1) {
        const body = presentFile(only.file);
        return isNew ? created(body, `${home}/files/${only.file.sha256}`) : ok(body);
      }
      const body = { items: sent.map(({ file }) => presentFile(file)) };
      return isNew ? created(body) : ok(body);
    },
  });

const listFilesRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path,
    name: 'listFiles',
    summary: 'List files, newest first',
    tag,
    request: listRequest,
    compress: true,
    replies: { 200: { description: 'One page', schema: filePage } },
    handle: async ({ input: { query }, database, pages }) => {
      const page = await pages.readSized(query, (part) => database.files.list(part));
      return ok(presentPage(page, presentFile, fileCursor));
    },
  });

const beginUploadRoute = ({ beginUpload }: HttpDependencies): Route =>
  filesRoute(SENDERS, {
    method: 'post',
    path: `${path}/uploads`,
    name: 'beginUpload',
    summary: 'Begin an upload of its own, with the SHA-256 of what will come',
    tag,
    request: beginRequest,
    replies: {
      200: { description: 'The organization has those bytes already', schema: fileReply },
      201: { description: 'Where to send the bytes', schema: uploadReply },
    },
    errors: ['file_too_large', 'quota_exceeded'],
    handle: async ({ input: { body }, home, ...call }) => {
      const begun = await beginUpload(call, {
        sha256: body.sha256,
        sizeBytes: body.size_bytes,
        mediaType: body.media_type,
        name: body.name ?? null,
      });
      if ('file' in begun) return ok(presentFile(begun.file));
      const { upload, presigned } = begun;
      return created(presentUpload(upload, presigned, `${home}/files/uploads/${upload.uploadId}`));
    },
  });

const sendUploadRoute = ({ receiveUpload }: HttpDependencies): Route =>
  filesRoute(SENDERS, {
    method: 'put',
    path: `${path}/uploads/{upload_id}`,
    name: 'sendUpload',
    summary: 'Send the bytes of an upload, in place of an earlier try',
    tag,
    request: uploadRequest,
    receivesBytes: true,
    replies: { 204: { description: 'They have come; complete the upload' } },
    errors: ['file_too_large', 'digest_mismatch', 'upload_expired', ...BYTES_ERRORS],
    handle: async ({ input: { params }, request, ...call }) => {
      await receiveUpload(call, params.upload_id, bodyBytes(request));
      return noContent;
    },
  });

const completeUploadRoute = ({ completeUpload }: HttpDependencies): Route =>
  filesRoute(SENDERS, {
    method: 'post',
    path: `${path}/uploads/{upload_id}/complete`,
    name: 'completeUpload',
    summary: 'Say that the bytes of an upload have come',
    tag,
    request: uploadRequest,
    replies: {
      200: { description: 'The organization has those bytes already', schema: fileReply },
      201: { description: 'The new file', schema: fileReply },
    },
    errors: ['digest_mismatch', 'upload_expired', 'quota_exceeded'],
    handle: async ({ input: { params }, home, ...call }) => {
      const { file, created: isNew } = await completeUpload(call, params.upload_id);
      const body = presentFile(file);
      return isNew ? created(body, `${home}/files/${file.sha256}`) : ok(body);
    },
  });

const readFileRoute = (deps: HttpDependencies): Route =>
  filesRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: `${path}/{sha256}`,
    name: 'readFile',
    summary: "Read a file's bytes, or a part of them",
    tag,
    request: fileRequest,
    replies: CONTENT_REPLIES,
    errors: CONTENT_ERRORS,
    handle: async ({ input: { params, query }, organizationId, withDatabase, request }) => {
      const file = await withDatabase((database) => getFile(database, params.sha256));
      const named = { ...file, name: query.name ?? file.name };
      return contentReply(deps, { organizationId, file: named, request, redirects: query.redirect });
    },
  });
