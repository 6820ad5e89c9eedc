import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { json } from 'node:stream/consumers';
import { createDeployment } from '../support/deployment.ts';
import { createTestDirectory } from '../support/test-directories.ts';
import { ServerProcess } from './server-process.ts';
import { interleave, median, timed } from './statistics.ts';
import { print, type Line } from './table.ts';

const MIB = 1024 * 1024;
const SIZE_MIB = 1024;
const ROUNDS = 4;
const ORGANIZATION = 'acme';
const LIMIT = { kind: 'at least', ratio: 0.8 } as const;

/** A file that no other one equals. */
const contents = (): Readable => {
  const block = randomBytes(MIB);
  const first = randomBytes(MIB);
  return Readable.from(
    (function* () {
      for (let mib = 0; mib < SIZE_MIB; mib += 1) yield mib === 0 ? first : block;
    })(),
    { highWaterMark: 4 },
  );
};

interface Target {
  readonly server: ServerProcess;
  readonly path: string;
  readonly token: string;
}

const upload = async ({ server, path, token }: Target): Promise<string> => {
  const sent = httpRequest(new URL(path, server.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/octet-stream',
      'content-length': SIZE_MIB * MIB,
    },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  await pipeline(contents(), sent);
  const response = await answered;
  // Both servers answer with it.
  const body = (await json(response)) as { readonly sha256: string };
  if (response.statusCode !== 201)
    throw new Error(`an upload: ${response.statusCode} ${JSON.stringify(body)}`);
  return body.sha256;
};

const download = async ({ server, path, token }: Target): Promise<void> => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(new URL(path, server.url), { headers: { authorization: `Bearer ${token}` } }, resolve)
      .once('error', reject)
      .end();
  });
  let bytes = 0;
  response.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve, reject) => response.once('end', resolve).once('error', reject));
  if (response.statusCode !== 200 || bytes !== SIZE_MIB * MIB)
    throw new Error(`a download: ${response.statusCode}, ${bytes} bytes`);
};

/** A file of a gigabyte through the API, over what `node:http`, a hash and a file alone take. Both flush it to disk. */
export const files = async (serverUrl: string): Promise<readonly Line[]> => {
  const deployment = await createDeployment({}, { url: serverUrl });
  await deployment.register(ORGANIZATION);
  const folder = await createTestDirectory();
  const environment = {
    ...deployment.environment,
    ...{ NODE_ENV: 'production', LOG_LEVEL: 'info', FILES_MAX_BYTES: String(SIZE_MIB * MIB) },
  };
  const service = await ServerProcess.start({ kind: 'service', environment });
  const raw = await ServerProcess.start({ kind: 'raw-files', environment: { RAW_FILES_FOLDER: folder } });
  const token = deployment.token(ORGANIZATION, ['member']);
  const [ours, floor] = [
    { server: service, path: '/files', token },
    { server: raw, path: '/', token },
  ];
  let kept = '';
  try {
    const before = await service.mostMemoryBytes();
    const times = await interleave(ROUNDS, {
      upload: async () => {
        if (kept !== '') await rm(join(deployment.filesFolder, ORGANIZATION, kept.slice(0, 2), kept));
        return timed(async () => (kept = await upload(ours)));
      },
      rawUpload: () => timed(() => upload(floor)),
      download: () => timed(() => download({ ...ours, path: `/files/${kept}` })),
      rawDownload: () => timed(() => download(floor)),
    });
    const after = await service.mostMemoryBytes();
    print(
      `  the most memory of the service: ${(before / MIB).toFixed(0)} MiB before the first file, ${(after / MIB).toFixed(0)} MiB after the last`,
    );
    const line = (what: 'upload' | 'download', own: readonly number[], bare: readonly number[]): Line => ({
      measure: `${what} of ${SIZE_MIB} MiB: rate over that of node:http and a file`,
      ours: median(own),
      floor: median(bare),
      unit: 'ms',
      limit: LIMIT,
    });
    return [
      line('upload', times.upload, times.rawUpload),
      line('download', times.download, times.rawDownload),
    ];
  } finally {
    await service.close();
    await raw.close();
    await rm(folder, { recursive: true, force: true });
    await deployment.dispose();
  }
};
