import { isUtf8 } from 'node:buffer';
import express from 'express';
import { HttpError } from '../http-error.ts';
import type { HttpRequest, Step } from '../http-locals.ts';

const MAX_BODY_BYTES = 1024 * 1024;

const parseJson = express.json({
  limit: MAX_BODY_BYTES,
  // Any JSON value parses; what a route wants is for its schema to say.
  strict: false,
  // A small compressed body can unfold to gigabytes.
  inflate: false,
  // Checked below, by method.
  type: () => true,
  // A decoder would replace bad bytes in silence. A throw here becomes `entity.verify.failed`.
  verify: (_req, _res, body) => {
    if (!isUtf8(body)) throw new Error('the body is not valid UTF-8');
  },
});

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

const hasBody = ({ headers }: HttpRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Every PATCH of this service merges what it is given, as RFC 7396 says. */
const typesFor = ({ method }: HttpRequest): string[] =>
  method === 'PATCH' ? ['application/json', 'application/merge-patch+json'] : ['application/json'];

/** Reads a JSON body. Without one `req.body` stays undefined, which no schema takes. */
export const parseBody: Step = async (req, res) => {
  if (!hasBody(req)) return;
  const charset = CHARSET.exec(req.get('Content-Type') ?? '')?.[1] ?? 'utf-8';
  if (req.is(typesFor(req)) === false || charset.toLowerCase() !== 'utf-8') {
    throw new HttpError(
      'unsupported_media_type',
      `The body must be ${typesFor(req).join(' or ')}, in UTF-8.`,
    );
  }
  // The parser would read all of it before it says no.
  if (Number(req.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
    throw new HttpError('body_too_large', 'The body is larger than 1 MiB.');
  }
  await new Promise<void>((resolve, reject) => {
    parseJson(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  });
};
