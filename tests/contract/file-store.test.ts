import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LazyFileStore } from '../../adapters/file-store/lazy-file-store.ts';
import { LocalFileStore } from '../../adapters/file-store/local-file-store.ts';
import type { Bytes, ByteRange, FileStore } from '../../application/ports/files/file-store.ts';
import { DigestMismatchError, FilesUnavailableError, FileTooLargeError } from '../../domain/files/errors.ts';
import { organizationId } from '../support/deployment.ts';
import { FakeFileStore } from '../support/fakes/fake-file-store.ts';
import { sha256Of } from '../support/fetch-bytes.ts';
import { Gate, rejectionOf } from '../support/gate.ts';
import { startS3 } from '../support/s3-server.ts';
import type { Subject } from './subjects.ts';

const ACME = organizationId('acme');
const BETA = organizationId('beta');
const HOUR_MS = 3_600_000;

async function* chunksOf(...texts: readonly string[]): Bytes & AsyncGenerator<Uint8Array, void> {
  for (const text of texts) yield Buffer.from(text);
}

async function* breakingOff(error: Error): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from('some bytes');
  throw error;
}

const ignore = (_chunk?: Uint8Array): void => undefined;

const keepsBytes = (subject: Subject<FileStore>): void => {
  let store: FileStore;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    store = await subject.empty();
  });

  const receive = (uploadId: string, ...texts: readonly string[]) =>
    store.receive(ACME, uploadId, { bytes: chunksOf(...texts), maxBytes: 100, look: ignore });
  const keep = async (text: string, organization = ACME): Promise<string> => {
    const id = randomUUID();
    const incoming = { bytes: chunksOf(text), maxBytes: 1e9, look: ignore };
    const { sha256 } = await store.receive(organization, id, incoming);
    await store.publish(organization, id, sha256);
    return sha256;
  };
  const read = async (sha256: string, range: ByteRange | null = null): Promise<string> => {
    const { bytes, close } = await store.open(ACME, sha256, range);
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of bytes) chunks.push(chunk);
    } finally {
      close();
    }
    return Buffer.concat(chunks).toString();
  };

  it('are measured and seen as they come, and have no name before they are published', async () => {
    const seen: string[] = [];
    const id = randomUUID();
    const bytes = chunksOf('one', '', ' two');
    const look = (chunk: Uint8Array): void => void seen.push(Buffer.from(chunk).toString());
    const received = await store.receive(ACME, id, { bytes, maxBytes: 7, look });
    expect(received).to.deep.equal({ sha256: sha256Of('one two'), sizeBytes: 7 });
    expect(seen.join('')).to.equal('one two');
    expect(await store.sizeOf(ACME, received.sha256)).to.equal(null);
    await store.publish(ACME, id, received.sha256);
    expect(await store.sizeOf(ACME, received.sha256)).to.equal(7);
    expect(await read(received.sha256)).to.equal('one two');
    expect(await store.measure(ACME, id, ignore)).to.equal(null);
  });

  it('are read in part, and may be none', async () => {
    const sha256 = await keep('abcdefghij');
    expect(await read(sha256, { first: 2, last: 4 })).to.equal('cde');
    expect(await read(sha256, { first: 9, last: 9 })).to.equal('j');
    expect(await read(await keep(''))).to.equal('');
  });

  it('are published again without harm', async () => {
    expect(await keep('again')).to.equal(await keep('again'));
    expect(await read(sha256Of('again'))).to.equal('again');
  });

  it('of an upload can be measured later, and replaced before', async () => {
    const id = randomUUID();
    expect(await store.measure(ACME, id, ignore)).to.equal(null);
    await receive(id, 'first');
    await receive(id, 'second');
    expect(await store.measure(ACME, id, ignore)).to.include({ sha256: sha256Of('second'), sizeBytes: 6 });
    await store.discard(ACME, id);
    await store.discard(ACME, id);
    expect(await store.measure(ACME, id, ignore)).to.equal(null);
  });

  it('of an upload are those that were measured, whatever else comes while it is sent or published', async () => {
    const id = randomUUID();
    const hanging = new Gate();
    const late = store.receive(ACME, id, {
      bytes: (async function* bytes() {
        yield Buffer.from('late ');
        await hanging.opened;
        yield Buffer.from('bytes');
      })(),
      maxBytes: 100,
      look: ignore,
    });
    await receive(id, 'the bytes');
    const measured = await store.measure(ACME, id, ignore);
    expect(measured?.sha256).to.equal(sha256Of('the bytes'));
    await store.publish(ACME, id, sha256Of('the bytes'), measured?.version);
    hanging.open();
    await late;
    expect(await read(sha256Of('the bytes'))).to.equal('the bytes');
    // What came last is an upload of its own.
    expect((await store.measure(ACME, id, ignore))?.sha256).to.equal(sha256Of('late bytes'));
  });

  it('of an upload are published once, and all who ask for it are told so', async () => {
    const id = randomUUID();
    const { sha256 } = await receive(id, 'the same');
    await Promise.all(Array.from({ length: 3 }, () => store.publish(ACME, id, sha256).catch(ignore)));
    await store.publish(ACME, id, sha256);
    expect(await read(sha256)).to.equal('the same');
  });

  it('that are too many, or break off, leave nothing', async () => {
    const id = randomUUID();
    expect(await rejectionOf(receive(id, 'x'.repeat(100), 'x'))).to.be.instanceOf(FileTooLargeError);
    const failure = new Error('the client is gone');
    const incoming = { bytes: breakingOff(failure), maxBytes: 100, look: ignore };
    expect(await rejectionOf(store.receive(ACME, id, incoming))).to.equal(failure);
    expect(await store.measure(ACME, id, ignore)).to.equal(null);
  });

  it('belong to one organization', async () => {
    const sha256 = await keep('of acme');
    expect(await store.sizeOf(BETA, sha256)).to.equal(null);
    expect(await rejectionOf(store.open(BETA, sha256, null))).to.be.instanceOf(FilesUnavailableError);
  });

  it('are deleted one by one, or all of an organization', async () => {
    const [one, two] = [await keep('one'), await keep('two')];
    await keep('two', BETA);
    await store.delete(ACME, one);
    await store.delete(ACME, one);
    expect([await store.sizeOf(ACME, one), await store.sizeOf(ACME, two)]).to.deep.equal([null, 3]);
    await receive(randomUUID(), 'an upload');
    await store.deleteAll(ACME);
    await store.deleteAll(ACME);
    expect([await store.sizeOf(ACME, two), await store.sizeOf(BETA, two)]).to.deep.equal([null, 3]);
  });

  it('of abandoned uploads are deleted when they are old', async () => {
    const id = randomUUID();
    await receive(id, 'abandoned');
    const sha256 = await keep('published');
    await store.discardAbandoned(ACME, new Date(Date.now() - HOUR_MS));
    expect(await store.measure(ACME, id, ignore)).not.to.equal(null);
    await store.discardAbandoned(ACME, new Date(Date.now() + HOUR_MS));
    expect(await store.measure(ACME, id, ignore)).to.equal(null);
    expect(await store.sizeOf(ACME, sha256)).to.equal(9);
    await store.discardAbandoned(BETA, new Date());
  });

  it('are many without being held at once', async () => {
    const megabyte = 'x'.repeat(2 ** 20);
    const id = randomUUID();
    const bytes = chunksOf(...Array.from({ length: 12 }, () => megabyte));
    const { sha256, sizeBytes } = await store.receive(ACME, id, { bytes, maxBytes: 1e9, look: ignore });
    await store.publish(ACME, id, sha256);
    expect([sizeBytes, sha256]).to.deep.equal([12 * 2 ** 20, sha256Of(megabyte.repeat(12))]);
    expect(await read(sha256, { first: sizeBytes - 3, last: sizeBytes - 1 })).to.equal('xxx');
  });
};

/** S3 sees to it by a condition of its copies, which the S3 of the tests does not know. */
const refusesOthers = (subject: Subject<FileStore>): void => {
  before(() => subject.open());
  after(() => subject.close());

  it('that came after an upload was measured are not published', async () => {
    const store = await subject.empty();
    const id = randomUUID();
    const receive = (text: string) =>
      store.receive(ACME, id, { bytes: chunksOf(text), maxBytes: 100, look: ignore });
    await receive('the bytes');
    const measured = await store.measure(ACME, id, ignore);
    await receive('not these');
    const publication = store.publish(ACME, id, sha256Of('the bytes'), measured?.version);
    expect(await rejectionOf(publication)).to.be.instanceOf(DigestMismatchError);
    expect(await store.sizeOf(ACME, sha256Of('the bytes'))).to.equal(null);
  });
};

const inMemory: Subject<FileStore> = {
  name: 'in memory',
  open: async () => undefined,
  empty: async () => new FakeFileStore(),
  close: async () => undefined,
};

const inFolder = (): Subject<FileStore> & { readonly folder: () => string } => {
  let folder: string;
  return {
    name: 'in a folder',
    folder: () => folder,
    open: async () => {
      folder = await mkdtemp(join(tmpdir(), 'mad-test-files-'));
    },
    empty: async () => {
      await rm(folder, { recursive: true, force: true });
      return new LocalFileStore(folder);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
};

const inS3 = (): Subject<FileStore> => {
  let server: Awaited<ReturnType<typeof startS3>>;
  return {
    name: 'in a bucket',
    open: async () => {
      server = await startS3();
    },
    empty: async () =>
      new LazyFileStore(async () => {
        const { S3FileStore } = await import('../../adapters/file-store/s3-file-store.ts');
        const { bucket, client } = server;
        return new S3FileStore({ bucket, prefix: `test/${randomUUID()}`, client });
      }),
    close: () => server.close(),
  };
};

for (const subject of [inMemory, inFolder(), inS3()])
  describe(`the bytes of files ${subject.name}`, function () {
    this.timeout(60_000);
    keepsBytes(subject);
  });

for (const subject of [inMemory, inFolder()])
  describe(`other bytes of an upload ${subject.name}`, () => refusesOthers(subject));

describe('the folder of files', () => {
  const subject = inFolder();
  before(() => subject.open());
  after(() => subject.close());

  it('is readable by the service alone, and has keys of hashes', async () => {
    const store = await subject.empty();
    const id = randomUUID();
    const incoming = { bytes: chunksOf('text'), maxBytes: 10, look: ignore };
    const { sha256 } = await store.receive(ACME, id, incoming);
    await store.publish(ACME, id, sha256);
    const path = join(subject.folder(), 'acme', sha256.slice(0, 2), sha256);
    expect((await stat(path)).mode & 0o077).to.equal(0);
    expect(await readdir(join(subject.folder(), 'acme', 'uploads'))).to.deep.equal([]);
  });

  it('says that it cannot be used, and of what system it is', async () => {
    const store = new LocalFileStore('/dev/null/files');
    const incoming = { bytes: chunksOf('text'), maxBytes: 10, look: ignore };
    const failure = await rejectionOf(store.receive(ACME, randomUUID(), incoming));
    expect(failure).to.be.instanceOf(FilesUnavailableError);
    expect((failure as Error).cause).to.include({ code: 'ENOTDIR' });
  });

  it('says so as well when it fails in the middle of a file', async () => {
    const store = await subject.empty();
    const sha256 = sha256Of('x');
    // Whoever opens a folder as a file hears of it at the first read.
    await mkdir(join(subject.folder(), 'acme', sha256.slice(0, 2), sha256), { recursive: true });
    const { bytes } = await store.open(ACME, sha256, null);
    const read = async (): Promise<void> => {
      for await (const chunk of bytes) ignore(chunk);
    };
    expect(await rejectionOf(read())).to.be.instanceOf(FilesUnavailableError);
  });
});

describe('the bucket of files', function () {
  this.timeout(60_000);
  let server: Awaited<ReturnType<typeof startS3>>;
  before(async () => {
    server = await startS3();
  });
  after(() => server.close());

  it('takes and gives bytes by addresses that need no token of this service', async () => {
    const { S3FileStore } = await import('../../adapters/file-store/s3-file-store.ts');
    const { bucket, client } = server;
    const store = new S3FileStore({ bucket, prefix: '', client });
    const id = randomUUID();
    const upload = { sizeBytes: 4, mediaType: 'text/plain', lifetimeSeconds: 60 };
    const { url, headers } = await store.presignUpload(ACME, id, upload);
    // The number of bytes and their type are part of the signature: S3 refuses others.
    const signed = new URL(url).searchParams.get('X-Amz-SignedHeaders')?.split(';');
    expect(signed).to.include.members(['content-length', 'content-type']);
    const sent = await fetch(url, {
      method: 'PUT',
      headers: { 'content-type': headers['Content-Type'] ?? '' },
      body: 'text',
    });
    expect(sent.status).to.equal(200);
    expect(await store.measure(ACME, id, ignore)).to.include({ sha256: sha256Of('text'), sizeBytes: 4 });
    await store.publish(ACME, id, sha256Of('text'));
    const reply = { mediaType: 'text/plain', disposition: 'attachment; filename="a"', lifetimeSeconds: 60 };
    const given = await fetch(await store.presignDownload(ACME, sha256Of('text'), reply));
    expect(await given.text()).to.equal('text');
    expect(given.headers.get('content-disposition')).to.equal(reply.disposition);
  });

  it('says that it cannot be reached', async () => {
    const { S3FileStore } = await import('../../adapters/file-store/s3-file-store.ts');
    const client = { ...server.client, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 };
    const store = new S3FileStore({ bucket: 'bucket', prefix: '', client });
    expect(await rejectionOf(store.sizeOf(ACME, sha256Of('x')))).to.be.instanceOf(FilesUnavailableError);
  });
});
