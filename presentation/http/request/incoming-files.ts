import { on } from 'node:events';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import type { z } from 'zod';
import type { IncomingFile } from '../../../application/files/receive-file.ts';
import { DEFAULT_MEDIA_TYPE } from '../../../domain/files/stored-file.ts';
import { ValidationError } from '../../../domain/validation-error.ts';
import { HttpError } from '../errors/http-error.ts';
import type { HttpRequest } from './http-locals.ts';
import { formPart, type fileHeaders } from './schema/file-headers.ts';

const MAX_PARTS = 100;
const FORM = /^multipart\/form-data\s*;/i;

export const isForm = ({ headers }: HttpRequest): boolean => FORM.test(headers['content-type'] ?? '');

/** The bytes of a body. What is thrown when the client stops sending is what the error handler knows as an abort. */
export async function* bodyBytes(request: HttpRequest): AsyncGenerator<Uint8Array, void> {
  try {
    // A stream of bytes: no encoding was set for it.
    yield* request as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw aborted(cause);
  }
}

const aborted = (cause: unknown): Error =>
  Object.assign(new Error('the client stopped sending', { cause }), { type: 'request.aborted' });

/** The file that is the whole body. @param headers as the route takes them */
export const bodyFile = (request: HttpRequest, headers: z.output<typeof fileHeaders>): IncomingFile => ({
  bytes: bodyBytes(request),
  mediaType: headers['Content-Type'],
  name: headers['Content-Disposition'],
  sha256: headers['Content-Digest'],
});

/**
 * The files of a form, one after another: each has to be read to its end before the next one comes. A file's name is kept as
 * it was sent, and is no path.
 *
 * @throws {ValidationError} for fields that are no files
 */
export async function* formFiles(request: HttpRequest): AsyncGenerator<IncomingFile, void> {
  const form = openForm(request);
  let current: Readable | null = null;
  const fail = (cause: unknown): void => {
    current?.destroy(aborted(cause));
    form.destroy(aborted(cause));
  };
  const stopped = (): void => fail(new Error('closed'));
  request.once('error', fail);
  request.once('aborted', stopped);
  for (const limit of ['partsLimit', 'filesLimit'] as const) form.on(limit, () => form.destroy(tooMany()));
  const parts = on(form, 'file', { close: ['finish'] });
  request.pipe(form);
  try {
    // As busboy documents its event.
    for await (const [field, stream, name, , type] of parts as AsyncIterable<FilePart>) {
      current = stream;
      // An error that comes before the stream is read would end the process.
      stream.on('error', () => undefined);
      if (field !== 'file') throw refusal(field ?? '');
      yield { bytes: partBytes(stream), ...readPart(name, type), sha256: null };
    }
  } catch (error) {
    throw explained(error);
  } finally {
    request.off('error', fail);
    request.off('aborted', stopped);
    request.unpipe(form);
    request.resume();
  }
}

/** What busboy emits of a file: its field, if it has one, its bytes, its name, how they are encoded, and their type. */
type FilePart = [
  field: string | undefined,
  stream: Readable,
  name: string | undefined,
  encoding: string,
  type: string,
];

const openForm = (request: HttpRequest): BusboyInstance => {
  try {
    return new Busboy({
      // The check of the type comes before.
      headers: { ...request.headers, 'content-type': request.headers['content-type'] ?? '' },
      preservePath: true,
      isPartAFile: () => true,
      limits: { files: MAX_PARTS, parts: MAX_PARTS, fieldNameSize: 100, headerPairs: 20 },
    });
  } catch {
    throw notAForm();
  }
};

async function* partBytes(stream: Readable): AsyncGenerator<Uint8Array, void> {
  try {
    // A stream of bytes, which no encoding was set for.
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw explained(error);
  }
}

const readPart = (name: string | undefined, type: string): z.output<typeof formPart> => {
  const parsed = formPart.safeParse({ name, mediaType: type === '' ? DEFAULT_MEDIA_TYPE : type });
  if (parsed.success) return parsed.data;
  throw new ValidationError(parsed.error.issues.map(({ message }) => ({ path: 'file', message })));
};

/** What busboy says of a form that it cannot read, in the words of this service. */
const explained = (error: unknown): unknown =>
  error instanceof ValidationError || error instanceof HttpError || isAbort(error) || !isOfForm(error)
    ? error
    : notAForm();

const isAbort = (error: unknown): boolean => error instanceof Error && 'type' in error;

const isOfForm = (error: unknown): boolean =>
  error instanceof Error && /multipart|boundary|part terminated|header|Malformed/i.test(error.message);

const notAForm = (): HttpError =>
  new HttpError('malformed_request', 'The body is no multipart/form-data, or not all of it.');

const refusal = (field: string): ValidationError =>
  new ValidationError([
    { path: field.slice(0, 100), message: 'is not a known field: files are sent as "file"' },
  ]);

const tooMany = (): ValidationError =>
  new ValidationError([{ path: 'file', message: `must be at most ${MAX_PARTS} files` }]);
