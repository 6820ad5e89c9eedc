import rawBody from 'raw-body';
import { inspectJson } from '../../../domain/json/inspect-json.ts';
import { ValidationError } from '../../../domain/validation-error.ts';
import { HttpError } from '../errors/http-error.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { HttpRequest, HttpResponse, Step } from './http-locals.ts';
import { MAX_ISSUES } from './schema/parse-request.ts';

const JSON_TYPE = 'application/json';
/** Every PATCH of this service merges its body into the resource (RFC 7396). */
const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** `fatal`: a decoder replaces bad bytes silently by default. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** RFC 9110, section 8.3.1: parameters may follow, of which each may be empty. */
const MEDIA_TYPE = /^\s*([^\s;,]+)\s*(?:;[^,]*)?$/;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

const hasBody = ({ headers }: HttpRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Reads a JSON body. Without one, `req.body` stays undefined, which every schema refuses. What must not be stored is left
 * in `bodyIssues` for validation, beside what the schema finds. Decision 0034. What the body costs is taken from what its
 * organization may send. Decision 0035.
 */
export const parseBody =
  (maxBytes: number, { requestLimits }: Pick<HttpDependencies, 'requestLimits'>): Step =>
  async (req, res) => {
    if (!hasBody(req)) return;
    checkType(req);
    const { organizationId } = res.locals;
    const announced = Math.min(Number(req.headers['content-length'] ?? 0), maxBytes);
    if (organizationId !== undefined) requestLimits.takeBytes(organizationId, announced);
    const body = await readBody(req, res, maxBytes);
    if (body.length === 0) return;
    if (organizationId !== undefined && body.length > announced)
      requestLimits.takeBytes(organizationId, body.length - announced);
    const text = decode(body);
    const { values, issues, duplicate, isExcessive } = inspectJson(text, MAX_ISSUES);
    if (organizationId !== undefined) requestLimits.takeValues(organizationId, values);
    // Nothing is built of what is too much.
    if (isExcessive) throw new ValidationError(issues);
    req.body = parseJson(text);
    if (duplicate !== null) throw new HttpError('malformed_json', DUPLICATE_MEMBER);
    res.locals.bodyIssues = issues;
    res.locals.bodyBytes = body.length;
  };

/** Rejects with raw-body's errors, which `toFailure` recognizes by their `type`. */
const readBody = async (req: HttpRequest, res: HttpResponse, maxBytes: number): Promise<Buffer> => {
  const length = req.headers['content-length'] ?? null;
  // Who waits to be asked for the body has sent none of it yet, and need not when it is too large.
  if (expectsContinue(req) && Number(length ?? 0) <= maxBytes) res.writeContinue();
  try {
    return await rawBody(req, { limit: maxBytes, length });
  } catch (error) {
    // raw-body stops reading midway. Without this, the next request on the connection waits behind the rest for ever.
    req.resume();
    throw error;
  }
};

/** RFC 9110, section 10.1.1: a client of HTTP/1.0 would take the interim response for the answer. */
export const expectsContinue = ({ headers, httpVersion }: HttpRequest): boolean =>
  headers.expect !== undefined && httpVersion === '1.1';

/** @throws {HttpError} before any of the body is read */
const checkType = (req: HttpRequest): void => {
  const type = req.headers['content-type'];
  if (type !== JSON_TYPE) {
    const types = req.method === 'PATCH' ? [JSON_TYPE, MERGE_PATCH_TYPE] : [JSON_TYPE];
    const [, essence = ''] = MEDIA_TYPE.exec(type ?? '') ?? [];
    const charset = CHARSET.exec(type ?? '')?.[1] ?? 'utf-8';
    if (!types.includes(essence.toLowerCase()) || charset.toLowerCase() !== 'utf-8')
      throw new HttpError('unsupported_media_type', `The body must be ${types.join(' or ')}, in UTF-8.`);
  }
  // A small compressed body can expand to gigabytes.
  if ((req.headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
    throw new HttpError('unsupported_media_type', 'The body must not be compressed.');
};

const decode = (body: Buffer): string => {
  try {
    return utf8.decode(body);
  } catch {
    throw new HttpError('malformed_json', 'The body is not valid UTF-8.');
  }
};

/** Takes any JSON value: the route's schema decides which ones are valid. */
const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError('malformed_json', 'The body is not valid JSON.');
  }
};

/** RFC 8785, 3.1: canonical JSON is made of I-JSON (RFC 7493), whose names are unique. */
const DUPLICATE_MEMBER = 'An object of the body has two members of the same name.';
