import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { bundleConsole, type ConsoleBundle } from './bundle-console.ts';

/** One file, ready to be sent. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  /** Made for the first client that takes it. */
  readonly gzip: () => Promise<Buffer>;
  readonly brotli: () => Promise<Buffer>;
}

export interface ConsoleAssets {
  readonly script: string;
  readonly style: string;
  readonly theme: string;
  readonly licences: string;
  readonly byName: ReadonlyMap<string, Asset>;
}

/** Written by `npm run build`. */
export const BUNDLE_FOLDER = new URL('../../console/bundle/', import.meta.url);
export const ENTRIES_FILE = 'entries.json';

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  map: 'application/json',
  txt: 'text/plain; charset=utf-8',
};

/** Reads what `npm run build` wrote; without that, bundles the sources. @throws {BundleError} */
export const loadConsoleAssets = async (): Promise<ConsoleAssets> => {
  const { files, ...names } = (await readBundle()) ?? (await bundleConsole());
  return {
    ...names,
    byName: new Map(files.map(({ name, body }) => [name, assetOf(name, body)])),
  };
};

/** Null when there is none: `npm start` does not make one. */
const readBundle = async (): Promise<ConsoleBundle | null> => {
  const entries = await readFile(new URL(ENTRIES_FILE, BUNDLE_FOLDER), 'utf8').catch(() => null);
  if (entries === null) return null;
  // Written by this project's own build.
  const starts = JSON.parse(entries) as Omit<ConsoleBundle, 'files'>;
  const names = (await readdir(BUNDLE_FOLDER)).filter((name) => name !== ENTRIES_FILE);
  const files = names.map(async (name) => ({ name, body: await readFile(new URL(name, BUNDLE_FOLDER)) }));
  return { ...starts, files: await Promise.all(files) };
};

const assetOf = (name: string, bytes: Uint8Array): Asset => {
  const body = Buffer.from(bytes);
  return {
    type: TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    body,
    gzip: once(() => promisify(gzip)(body)),
    brotli: once(() => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })),
  };
};

const once = (make: () => Promise<Buffer>): (() => Promise<Buffer>) => {
  let made: Promise<Buffer> | undefined;
  return () => (made ??= make());
};
