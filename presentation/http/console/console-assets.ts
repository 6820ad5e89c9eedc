import { readdir, readFile, stat } from 'node:fs/promises';
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

/**
 * Reads what `npm run build` wrote; without that, bundles the sources. Concurrent callers share that, and a failure is
 * forgotten. It is done again when there is another bundle: `npm run console` writes one after each change of a page.
 *
 * @throws {BundleError}
 */
export const sharedConsoleAssets = (folder = BUNDLE_FOLDER): (() => Promise<ConsoleAssets>) => {
  let loaded: { readonly version: number | null; readonly assets: Promise<ConsoleAssets> } | undefined;
  return async () => {
    const version = await bundleVersion(folder);
    if (loaded?.version === version) return loaded.assets;
    const assets = loadConsoleAssets(folder);
    loaded = { version, assets };
    assets.catch(() => (loaded = undefined));
    return assets;
  };
};

/** Null when there is none: `npm start` does not make one. */
const bundleVersion = async (folder: URL): Promise<number | null> => {
  const entries = await stat(new URL(ENTRIES_FILE, folder)).catch(() => null);
  return entries?.mtimeMs ?? null;
};

const loadConsoleAssets = async (folder: URL): Promise<ConsoleAssets> => {
  const { files, ...names } = (await readBundle(folder)) ?? (await bundleConsole());
  return {
    ...names,
    byName: new Map(files.map(({ name, body }) => [name, assetOf(name, body)])),
  };
};

const readBundle = async (folder: URL): Promise<ConsoleBundle | null> => {
  const entries = await readFile(new URL(ENTRIES_FILE, folder), 'utf8').catch(() => null);
  if (entries === null) return null;
  // Written by this project's own build.
  const starts = JSON.parse(entries) as Omit<ConsoleBundle, 'files'>;
  const names = (await readdir(folder)).filter((name) => name !== ENTRIES_FILE);
  const files = names.map(async (name) => ({ name, body: await readFile(new URL(name, folder)) }));
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
