import rawBody from 'raw-body';
import { HttpError } from '../errors/http-error.ts';
import type { HttpRequest, Step } from './http-locals.ts';

const MAX_BODY_BYTES = 1024 * 1024;

const JSON_TYPE = 'application/json';
/** Every PATCH of this service merges its body into the resource (RFC 7396). */
const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** `fatal`: a decoder replaces bad bytes silently by default. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

const hasBody = ({ headers }: HttpRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Reads a JSON body. Without one, `req.body` stays undefined, which every schema refuses. */
export const parseBody: Step = async (req) => {
  if (!hasBody(req)) return;
  checkType(req);
  const body = await readBody(req);
  if (body.length > 0) req.body = parseJson(body);
};

/** Rejects with raw-body's errors, which `toFailure` recognizes by their `type`. */
const readBody = async (req: HttpRequest): Promise<Buffer> => {
  try {
    return await rawBody(req, { limit: MAX_BODY_BYTES, length: req.headers['content-length'] ?? null });
  } catch (error) {
    // raw-body stops reading midway. Without this, the next request on the connection waits behind the rest for ever.
    req.resume();
    throw error;
  }
};

/** @throws {HttpError} before any of the body is read */
const checkType = (req: HttpRequest): void => {
  const type = req.headers['content-type'];
  if (type !== JSON_TYPE) {
    const types = req.method === 'PATCH' ? [JSON_TYPE, MERGE_PATCH_TYPE] : [JSON_TYPE];
    const charset = CHARSET.exec(type ?? '')?.[1] ?? 'utf-8';
    if (req.is(types) === false || charset.toLowerCase() !== 'utf-8')
      throw new HttpError('unsupported_media_type', `The body must be ${types.join(' or ')}, in UTF-8.`);
  }
  // A small compressed body can expand to gigabytes.
  if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
    throw new HttpError('unsupported_media_type', 'The body must not be compressed.');
};

/** Takes any JSON value: the route's schema decides which ones are valid. */
const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (error) {
    const what = error instanceof SyntaxError ? 'JSON' : 'UTF-8';
    throw new HttpError('malformed_json', `The body is not valid ${what}.`);
  }
};
