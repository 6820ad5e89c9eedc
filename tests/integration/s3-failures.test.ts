import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { S3FileStore, S3Place } from '../../adapters/file-store/s3-file-store.ts';
import type { Bytes, OpenBytes, ReceivedBytes } from '../../application/ports/files/file-store.ts';
import { FilesUnavailableError } from '../../domain/files/errors.ts';
import { organizationId } from '../support/deployment.ts';
import { sha256Of } from '../support/fetch-bytes.ts';
import { rejectionOf } from '../support/gate.ts';
import { startS3 } from '../support/s3-server.ts';

const ACME = organizationId('acme');
/** More than the SDK would have under way at once. */
const READERS = 60;

const MEBIBYTE = 2 ** 20;

/** Takes the bytes with a pause after each mebibyte. It says a word then: buffers hide from who sends how slowly they are read. */
const takeSlowly = async (
  request: IncomingMessage,
  response: ServerResponse,
  pauseMs: number,
): Promise<void> => {
  let left = MEBIBYTE;
  // A request is a stream of bytes: no encoding was set for it.
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    left -= chunk.length;
    if (left > 0) continue;
    left += MEBIBYTE;
    await pause(pauseMs);
    response.writeProcessing();
  }
  response.writeHead(200, { ETag: '"tag"' }).end();
};

const readAll = async (bytes: Bytes): Promise<number> => {
  let size = 0;
  for await (const chunk of bytes) size += chunk.length;
  return size;
};

const send = (store: S3FileStore, sizeBytes: number, uploadId = randomUUID()): Promise<ReceivedBytes> =>
  store.receive(ACME, uploadId, {
    bytes: (async function* parts() {
      yield Buffer.alloc(sizeBytes);
    })(),
    maxBytes: sizeBytes,
    look: () => undefined,
  });

const xml = (text: string): string => `<?xml version="1.0" encoding="UTF-8"?>${text}`;

describe('A bucket that fails', function () {
  this.timeout(30_000);
  let server: Server | null = null;

  /** A store in a bucket that answers as `answer` does. */
  const storeAt = async (
    answer: RequestListener,
    options: Partial<S3Place> = {},
    client: S3Place['client'] = {},
  ): Promise<S3FileStore> => {
    const { S3FileStore: Store } = await import('../../adapters/file-store/s3-file-store.ts');
    const listening = createServer(answer);
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    // The address of a TCP server that listens is an object.
    const { port } = listening.address() as AddressInfo;
    return new Store({
      bucket: 'files',
      prefix: '',
      client: {
        endpoint: `http://127.0.0.1:${port}`,
        region: 'us-east-1',
        forcePathStyle: true,
        credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
        maxAttempts: 1,
        ...client,
      },
      ...options,
    });
  };
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = null;
  });

  it('in the middle of a file is unavailable, and no fault of the service', async () => {
    const store = await storeAt((_request, response) => {
      response.writeHead(200, { 'Content-Length': '100', ETag: '"tag"' });
      response.write('ten bytes.', () => response.destroy());
    });
    const { bytes } = await store.open(ACME, sha256Of('x'), null);
    expect(await rejectionOf(readAll(bytes))).to.be.instanceOf(FilesUnavailableError);
  });

  it('that falls silent in the middle of a file is given up', async () => {
    const head = { 'Content-Length': '100', ETag: '"tag"' };
    const store = await storeAt(
      (_request, response) => void response.writeHead(200, head).write('ten bytes.'),
      {
        answerTimeoutMs: 50,
      },
    );
    const { bytes } = await store.open(ACME, sha256Of('x'), null);
    expect(await rejectionOf(readAll(bytes))).to.be.instanceOf(FilesUnavailableError);
  });

  it('to delete one of many files is not taken for one that has', async () => {
    const store = await storeAt((request, response) => {
      response.setHeader('Content-Type', 'application/xml');
      response.end(
        xml(
          request.method === 'GET'
            ? '<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>acme/aa/one</Key></Contents></ListBucketResult>'
            : '<DeleteResult><Error><Key>acme/aa/one</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>',
        ),
      );
    });
    const failure = await rejectionOf(store.deleteAll(ACME));
    expect(failure).to.be.instanceOf(FilesUnavailableError);
    expect(String((failure as Error).cause)).to.contain('AccessDenied');
  });

  it('to say that a file is deleted is asked once: a later attempt could delete bytes that came meanwhile', async () => {
    let asked = 0;
    const store = await storeAt(() => (asked += 1), { answerTimeoutMs: 50 }, { maxAttempts: 3 });
    const failure = await rejectionOf(store.delete(ACME, sha256Of('x')));
    expect([failure instanceof FilesUnavailableError, asked]).to.deep.equal([true, 1]);
  });

  it('to answer at all is asked once, and given up', async () => {
    let asked = 0;
    const store = await storeAt(() => (asked += 1), { answerTimeoutMs: 50 }, { maxAttempts: 3 });
    expect(await rejectionOf(store.sizeOf(ACME, sha256Of('x')))).to.be.instanceOf(FilesUnavailableError);
    expect(asked).to.equal(1);
    expect(await rejectionOf(send(store, 1))).to.be.instanceOf(FilesUnavailableError);
    expect(asked).to.equal(2);
  });

  it('to keep a connection is asked again', async () => {
    let asked = 0;
    const taken: Promise<number>[] = [];
    const store = await storeAt(
      (request, response) => {
        asked += 1;
        if (asked === 1) return void request.socket.destroy();
        taken.push(readAll(request));
        response.writeHead(200, { ETag: '"tag"' }).end();
      },
      {},
      { maxAttempts: 3 },
    );
    await send(store, 7);
    expect([asked, ...(await Promise.all(taken))]).to.deep.equal([2, 7]);
  });

  it('at nothing but speed gets its bytes, also when one part takes longer than it may be silent', async () => {
    const store = await storeAt(
      (request, response) => void takeSlowly(request, response, 300).catch(() => undefined),
      { answerTimeoutMs: 1000 },
    );
    const { sizeBytes } = await send(store, 4.5 * MEBIBYTE);
    expect(sizeBytes).to.equal(4.5 * MEBIBYTE);
  });
});

describe('A bucket', function () {
  this.timeout(30_000);

  it('is sent bytes in pieces: within one write to a TLS connection nobody sees whether they flow', async () => {
    const { S3FileStore: Store } = await import('../../adapters/file-store/s3-file-store.ts');
    const pieces: number[] = [];
    const handle = async ({ body }: { readonly body?: unknown }) => {
      // Bytes that the store makes of those of a file.
      for await (const piece of body as AsyncIterable<Uint8Array>) pieces.push(piece.length);
      return { response: { statusCode: 200, headers: {}, body: Readable.from([]) } };
    };
    const store = new Store({
      bucket: 'files',
      prefix: '',
      client: {
        region: 'us-east-1',
        credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
        requestHandler: { handle },
      },
    });
    await send(store, MEBIBYTE + 1);
    expect(pieces).to.deep.equal([...Array.from({ length: 16 }, () => 2 ** 16), 1]);
  });

  it('keeps nobody waiting for those who read slowly', async () => {
    const { S3FileStore: Store } = await import('../../adapters/file-store/s3-file-store.ts');
    const { bucket, client, close } = await startS3();
    const store = new Store({ bucket, prefix: '', client });
    const id = randomUUID();
    const { sha256, sizeBytes } = await send(store, MEBIBYTE, id);
    await store.publish(ACME, id, sha256);
    const unread: OpenBytes[] = [];
    try {
      for (let opened = 0; opened < READERS; opened += 1) unread.push(await store.open(ACME, sha256, null));
      expect(await store.sizeOf(ACME, sha256)).to.equal(sizeBytes);
    } finally {
      for (const open of unread) open.close();
      await close();
    }
  });
});
