import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { S3FileStore, S3Place } from '../../adapters/file-store/s3-file-store.ts';
import type { Bytes, OpenBytes } from '../../application/ports/files/file-store.ts';
import { FilesUnavailableError } from '../../domain/files/errors.ts';
import { organizationId } from '../support/deployment.ts';
import { sha256Of } from '../support/fetch-bytes.ts';
import { rejectionOf } from '../support/gate.ts';
import { startS3 } from '../support/s3-server.ts';

const ACME = organizationId('acme');
/** More than the SDK would have under way at once. */
const READERS = 60;

const readAll = async (bytes: Bytes): Promise<number> => {
  let size = 0;
  for await (const chunk of bytes) size += chunk.length;
  return size;
};

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

  it('to answer at all is given up', async () => {
    const store = await storeAt(() => undefined, { answerTimeoutMs: 50 });
    expect(await rejectionOf(store.sizeOf(ACME, sha256Of('x')))).to.be.instanceOf(FilesUnavailableError);
  });
});

describe('A bucket', function () {
  this.timeout(30_000);

  it('keeps nobody waiting for those who read slowly', async () => {
    const { S3FileStore: Store } = await import('../../adapters/file-store/s3-file-store.ts');
    const { bucket, client, close } = await startS3();
    const store = new Store({ bucket, prefix: '', client });
    const id = randomUUID();
    const bytes = (async function* parts() {
      yield Buffer.alloc(2 ** 20);
    })();
    const { sha256, sizeBytes } = await store.receive(ACME, id, {
      bytes,
      maxBytes: 2 ** 20,
      look: () => undefined,
    });
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
