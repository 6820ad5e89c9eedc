import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { listen } from '../../infrastructure/http-server/http-server.ts';

/** As the service reads files: with the default of 64 KiB this server would be the slower one. */
const READ_BYTES = 256 * 1024;

const receive = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const hash = createHash('sha256');
  const hashed = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(request, hashed, createWriteStream(path, { flush: true }));
  response.writeHead(201).end(JSON.stringify({ sha256: hash.digest('hex') }));
};

const give = async (path: string, response: ServerResponse): Promise<void> => {
  const { size } = await stat(path);
  response.writeHead(200, { 'content-length': size });
  await pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), response);
};

/** The least that a file costs over HTTP: one file, flushed before the answer, with its SHA-256. No token, no name, no row. */
export const startRawFileServer = async (
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly url: string }> => {
  const path = join(environment['RAW_FILES_FOLDER'] ?? '', 'file');
  const serve: RequestListener = (request, response) =>
    void (request.method === 'POST' ? receive(path, request, response) : give(path, response)).catch(
      (error: unknown) => void response.destroy(error instanceof Error ? error : undefined),
    );
  return listen(serve, '127.0.0.1', 0, { answerClientError: () => '' });
};
