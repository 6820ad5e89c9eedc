import { pipeline } from 'node:stream/promises';
import type { Bytes } from '../../../application/ports/files/file-store.ts';
import { JsonText } from '../../../domain/json-text.ts';
import { EventStream } from './event-stream.ts';
import { held, type HttpRequest, type HttpResponse, type Step } from './http-locals.ts';
import { ByteStream, TextStream, type Reply } from './reply.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** A larger body is sent in slices of this size, the next one when the client has taken the one before. */
const SLICE_BYTES = 64 * 1024;

/** Runs the route's handler and sends its reply. @throws {OrganizationBusyError} for a read whose answer has no room */
export const respond: Step = async (req, res) => {
  const answer = held(res.locals, 'answer');
  const { status, body, headers = {} } = await answer(res.locals);
  if (res.closed) return;
  if (body instanceof EventStream) return body.sendTo(res);
  if (headers['ETag'] !== undefined && isUnchanged(req, res, headers['ETag'])) {
    res.status(304).set(headers).end();
    return;
  }
  if (body === null) {
    res.status(status).set(headers).end();
    return;
  }
  if (body instanceof TextStream) {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    return sendParts(req, res.status(status), body);
  }
  if (body instanceof ByteStream) return sendStream(req, res, { status, headers, body });
  const { share, pages } = res.locals;
  if (pages?.skipped === true) {
    res.writeHead(status, ['Content-Type', JSON_TYPE]).end();
    return;
  }
  const content = contentOf(body);
  const length = Buffer.byteLength(content);
  // A write has happened already: its answer is sent in any case.
  if (req.method === 'GET') share?.reserve(length);
  share?.correct(length);
  if (body === content) {
    res.status(status).set({ ...headers, 'Content-Length': String(length) });
  } else {
    // `res.json` also reads settings, parses the type that it has just set, and compares ETags. That takes a fifteenth of
    // the CPU of the HTTP side of a request.
    const own = Object.entries(headers).flatMap(([name, value]) =>
      res.hasHeader(name) ? [] : [name, value],
    );
    res.writeHead(status, ['Content-Type', JSON_TYPE, 'Content-Length', String(length), ...own]);
  }
  if (length <= SLICE_BYTES || req.method === 'HEAD') res.end(content);
  else await sendInSlices(res, typeof content === 'string' ? Buffer.from(content) : content);
};

/** Stands for the slices of a file that are on their way from its store to the client. */
const STREAM_BYTES = 256 * 1024;

/**
 * Sends bytes as they are read, no faster than the client takes them. They are opened before anything is said of them: until
 * then a failure is answered as usual.
 */
const sendStream = async (
  req: HttpRequest,
  res: HttpResponse,
  { status, headers = {}, body }: Omit<Reply, 'body'> & { readonly body: ByteStream },
): Promise<void> => {
  const announce = (): void => {
    // Express would add a charset to the type.
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    res.status(status).set('Content-Length', String(body.length));
  };
  if (req.method === 'HEAD') {
    announce();
    res.end();
    return;
  }
  res.locals.streams = true;
  res.locals.share?.reserve(STREAM_BYTES);
  const { bytes, close } = await body.open();
  try {
    if (res.closed) return;
    announce();
    await pipeline(exactly(body.length, bytes), res);
  } catch (error) {
    // A client that has enough of it may go at any time.
    if (!isPrematureClose(error)) throw error;
  } finally {
    close();
  }
};

/** Bytes of the announced number. With fewer, the client would wait for the rest; more would be its next answer. */
async function* exactly(length: number, bytes: Bytes): AsyncGenerator<Uint8Array, void> {
  let left = length;
  for await (const chunk of bytes) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new Error('the store does not hold as many bytes of the file as came');
}

const isPrematureClose = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';

/** Whether the client has what the response's `ETag` names (RFC 9110, section 13.1.2). */
const isUnchanged = (req: HttpRequest, res: HttpResponse, tag: string): boolean => {
  res.set('ETag', tag);
  const isFresh = (req.method === 'GET' || req.method === 'HEAD') && res.statusCode === 200 && req.fresh;
  res.removeHeader('ETag');
  return isFresh;
};

const contentOf = (body: unknown): string | Buffer => {
  if (typeof body === 'string' || body instanceof Buffer) return body;
  return body instanceof JsonText ? body.text : JSON.stringify(body);
};

/**
 * Sends a body no faster than the client reads it. In one piece, the server could not see whether a client is slow or
 * does not read, and Node would hold a second copy of what is left.
 */
const sendInSlices = async (res: HttpResponse, body: Buffer): Promise<void> => {
  await slicesTo(res)(body);
  res.end();
};

/** Stands for a part of a text that is made while it is sent, and for the rows that it is made of. */
const PART_BYTES = 512 * 1024;

/** Sends text part by part. The first one is made before the head is written: until then a failure is answered as usual. */
const sendParts = async (req: HttpRequest, res: HttpResponse, { parts }: TextStream): Promise<void> => {
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  const { share } = res.locals;
  share?.reserve(PART_BYTES);
  res.locals.streams = true;
  const send = slicesTo(res);
  for await (const part of parts) {
    const bytes = Buffer.from(part);
    share?.correct(Math.max(PART_BYTES, bytes.length));
    await send(bytes);
    if (res.closed) return;
  }
  res.end();
};

/** Writes bytes in slices; resolves when the client has taken all but the last of them, or has gone. */
const slicesTo = (res: HttpResponse): ((bytes: Buffer) => Promise<void>) => {
  const waiting: { goOn?: () => void } = {};
  // One listener for all slices: what compresses an answer does not give back those that it gets.
  res.on('drain', () => waiting.goOn?.()).on('close', () => waiting.goOn?.());
  return async (bytes) => {
    for (let sent = 0; sent < bytes.length && !res.closed; sent += SLICE_BYTES) {
      if (res.write(bytes.subarray(sent, sent + SLICE_BYTES)) || res.closed) continue;
      await new Promise<void>((resolve) => {
        waiting.goOn = resolve;
      });
    }
  };
};
