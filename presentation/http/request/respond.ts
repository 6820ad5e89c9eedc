import { JsonText } from '../../../domain/json-text.ts';
import { held, type HttpResponse, type Step } from './http-locals.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** A larger body is sent in slices of this size, the next one when the client has taken the one before. */
const SLICE_BYTES = 64 * 1024;

/** Runs the route's handler and sends its reply. @throws {OrganizationBusyError} for a read whose answer has no room */
export const respond: Step = async (req, res) => {
  const answer = held(res.locals, 'answer');
  const { status, body, headers = {} } = await answer(res.locals);
  if (res.closed) return;
  if (body === null) {
    res.status(status).set(headers).end();
    return;
  }
  const { share, pages } = res.locals;
  const { 'Content-Type': type = JSON_TYPE, ...others } = headers;
  // `res.json` also reads settings, parses the type that it has just set, and compares ETags. That takes a fifteenth of
  // the CPU of the HTTP side of a request.
  const head = ['Content-Type', type, ...Object.entries(others).flat()];
  if (pages?.skipped === true) {
    res.writeHead(status, head).end();
    return;
  }
  const text = typeof body === 'string' ? body : textOf(body);
  const length = Buffer.byteLength(text);
  // A write has happened already: its answer is sent in any case.
  if (req.method === 'GET') share?.reserve(length);
  share?.correct(length);
  res.writeHead(status, ['Content-Length', String(length), ...head]);
  if (length <= SLICE_BYTES || req.method === 'HEAD') res.end(text);
  else sendInSlices(res, Buffer.from(text));
};

const textOf = (body: unknown): string => (body instanceof JsonText ? body.text : JSON.stringify(body));

/**
 * Sends a body no faster than the client reads it. In one piece, the server could not see whether a client is slow or
 * does not read, and Node would hold a second copy of what is left.
 */
const sendInSlices = (res: HttpResponse, body: Buffer): void => {
  let sent = 0;
  const sendNext = (): void => {
    while (sent < body.length) {
      const slice = body.subarray(sent, sent + SLICE_BYTES);
      sent += slice.length;
      if (res.write(slice)) continue;
      res.once('drain', sendNext);
      return;
    }
    res.end();
  };
  sendNext();
};
