import { fileURLToPath } from 'node:url';
import { licencesOf } from './licences-of.ts';

/** A file of the console as browsers load it, by its name below `/console/assets/`. */
export interface BundledFile {
  readonly name: string;
  readonly body: Uint8Array;
}

/** The console's files. Their names are what a page begins with. */
export interface ConsoleBundle {
  readonly script: string;
  readonly style: string;
  readonly theme: string;
  /** What all packages in it ask to be shown with them. */
  readonly licences: string;
  readonly files: readonly BundledFile[];
}

const SOURCES = new URL('../../console/', import.meta.url);
const sourceOf = (name: string): string => fileURLToPath(new URL(name, SOURCES));

/** Raised when the console cannot be bundled where it runs. The message says what to do. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

/**
 * Bundles the console from its sources; takes about a second, in a process of its own. Names hold the hash of what is in
 * them.
 *
 * @throws {BundleError}
 */
export const bundleConsole = async (): Promise<ConsoleBundle> => {
  const { build } = await import('esbuild').catch((error: unknown) => {
    throw new BundleError('The console is not built, and esbuild is not installed: run "npm run build".', {
      cause: error,
    });
  });
  const result = await build({
    entryPoints: { main: sourceOf('main.tsx'), theme: sourceOf('theme.ts') },
    outdir: '/assets',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    minify: true,
    write: false,
    metafile: true,
    sourcemap: 'linked',
    // The licences are delivered whole, in a file of their own.
    legalComments: 'none',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.css': 'css' },
    define: { 'process.env.NODE_ENV': '"production"' },
    // That of the sources is not there in `dist`.
    tsconfigRaw: '{}',
    logLevel: 'silent',
  }).catch((error: unknown) => {
    throw new BundleError(error instanceof Error ? error.message : String(error), { cause: error });
  });
  const files: BundledFile[] = result.outputFiles.map(({ path, contents }) => ({
    name: path.slice(path.lastIndexOf('/') + 1),
    body: contents,
  }));
  const licences = await licencesOf(Object.keys(result.metafile.inputs));
  files.push(licences);
  const named = (pattern: RegExp): string => {
    const found = files.find(({ name }) => pattern.test(name));
    if (found === undefined) throw new BundleError(`The bundle has no file such as ${pattern.source}.`);
    return found.name;
  };
  return {
    script: named(/^main-\w+\.js$/),
    style: named(/^main-\w+\.css$/),
    theme: named(/^theme-\w+\.js$/),
    licences: licences.name,
    files,
  };
};
