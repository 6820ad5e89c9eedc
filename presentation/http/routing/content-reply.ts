import type { ByteRange, FileStore } from '../../../application/ports/files/file-store.ts';
import type { StoredFile } from '../../../domain/files/stored-file.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { ErrorCode } from '../errors/error-status.ts';
import { HttpError } from '../errors/http-error.ts';
import type { HttpRequest } from '../request/http-locals.ts';
import { ByteStream, type Reply } from '../request/reply.ts';
import type { Route } from './route.ts';

/** How long an address of the store may be used. */
const REDIRECT_SECONDS = 300;

/** A file may be a page with scripts. A browser that is sent to one runs nothing of it in the name of this service. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

const BYTES = 'application/octet-stream';
export const CONTENT_REPLIES: Route['replies'] = {
  200: { description: 'The bytes, under the media type that they were uploaded with', contentType: BYTES },
  206: { description: 'The part that `Range` asked for', contentType: BYTES },
  304: { description: 'The client has it' },
  307: { description: 'Where the store gives the bytes', contentType: 'text/plain' },
};
export const CONTENT_ERRORS: readonly ErrorCode[] = ['file_not_found', 'range_not_satisfiable'];

export interface ContentCall {
  readonly organizationId: OrganizationId;
  readonly file: StoredFile;
  readonly request: HttpRequest;
  /** Whether the client would rather be sent to the store. */
  readonly redirects: boolean;
}

/** Sends a file's bytes or a part of them, or says where the store gives them. @throws {HttpError} for a range beyond its end */
export const contentReply = async (
  { fileStore }: { readonly fileStore: FileStore },
  { organizationId, file, request, redirects }: ContentCall,
): Promise<Reply> => {
  const { sha256, sizeBytes, mediaType } = file;
  const disposition = dispositionOf(file.name ?? sha256);
  if (redirects) {
    const reply = { mediaType, disposition, lifetimeSeconds: REDIRECT_SECONDS };
    const url = await fileStore.presignDownload(organizationId, sha256, reply);
    if (url !== null) return { status: 307, body: null, headers: { Location: url } };
  }
  const etag = `"${sha256}"`;
  const range = rangeOf(request, sizeBytes, etag);
  const length = range === null ? sizeBytes : range.last - range.first + 1;
  return {
    status: range === null ? 200 : 206,
    body: new ByteStream(length, () => fileStore.open(organizationId, sha256, range)),
    headers: {
      'Content-Type': mediaType,
      'Content-Disposition': disposition,
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Accept-Ranges': 'bytes',
      ETag: etag,
      ...(range !== null && { 'Content-Range': `bytes ${range.first}-${range.last}/${sizeBytes}` }),
    },
  };
};

const ONE_RANGE = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/;

/** RFC 9110, 14: one range. Several, or a header that cannot be read, are answered with the whole, which is allowed. */
const rangeOf = (request: HttpRequest, sizeBytes: number, etag: string): ByteRange | null => {
  if (request.method !== 'GET') return null;
  const condition = request.get('If-Range');
  // A date never matches, as no answer says when the file was changed: it never is.
  if (condition !== undefined && condition.trim() !== etag) return null;
  // A client that has the file is told so, whatever part it asks for (RFC 9110, 13.2.2).
  if (tagsIn(request.get('If-None-Match') ?? '').some((tag) => tag === etag || tag === '*')) return null;
  const [, from, to, suffix] = ONE_RANGE.exec(request.get('Range') ?? '') ?? [];
  if (from === undefined && suffix === undefined) return null;
  const end = sizeBytes - 1;
  // A suffix may be longer than the file, and a range may end beyond it.
  const first = from === undefined ? Math.max(sizeBytes - Number(suffix), 0) : Number(from);
  const last = to === undefined || to === '' ? end : Number(to);
  if (from !== undefined && to !== '' && last < first) return null;
  if (first > end)
    throw new HttpError('range_not_satisfiable', 'The file ends before that range begins.', {
      'Content-Range': `bytes */${sizeBytes}`,
    });
  return { first, last: Math.min(last, end) };
};

/** As a weak comparison takes them. */
const tagsIn = (header: string): readonly string[] =>
  header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));

/** RFC 6266: the name in ASCII for old clients, and as it is (RFC 8187). */
export const dispositionOf = (name: string): string => {
  const ascii = name.replaceAll(/[^\x20-\x7e]|["%/\\]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
};
