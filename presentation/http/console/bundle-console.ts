import { fileURLToPath } from 'node:url';
import type { BuildOptions, BuildResult } from 'esbuild';
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

/** Raised when the console cannot be bundled where it runs. The message says what to do. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

const SOURCES = fileURLToPath(new URL('../../console/', import.meta.url));

/**
 * Bundles the console from its sources; takes about a second, in a process of its own. Names hold the hash of what is in
 * them.
 *
 * @throws {BundleError}
 */
export const bundleConsole = async (): Promise<ConsoleBundle> => {
  const { build } = await loadEsbuild();
  return bundleOf(await build(optionsFor(SOURCES, 'production')).catch(refuse));
};

interface Watch {
  /** A folder that ends with a slash. */
  readonly sources: string;
  /** Called with the first bundle, and with another after each change of a source that can be bundled. */
  readonly onBundle: (bundle: ConsoleBundle) => void;
  readonly onFailure: (message: string) => void;
}

/**
 * Bundles the console for people who work on it, again and again: not made small, and with the warnings of React.
 *
 * @returns ends it
 * @throws {BundleError}
 */
export const watchConsole = async ({ sources, onBundle, onFailure }: Watch): Promise<() => Promise<void>> => {
  const { context } = await loadEsbuild();
  const options = optionsFor(sources, 'development');
  const watched = await context({
    ...options,
    plugins: [
      {
        name: 'notice',
        setup: (building) =>
          building.onEnd(async (result) => {
            const [error] = result.errors;
            if (error !== undefined)
              onFailure(`${error.location?.file ?? ''}:${error.location?.line ?? ''} ${error.text}`);
            else onBundle(await bundleOf(result));
          }),
      },
    ],
  }).catch(refuse);
  await watched.watch();
  return () => watched.dispose();
};

const loadEsbuild = () =>
  import('esbuild').catch((error: unknown) => {
    throw new BundleError('The console is not built, and esbuild is not installed: run "npm run build".', {
      cause: error,
    });
  });

const refuse = (error: unknown): never => {
  throw new BundleError(error instanceof Error ? error.message : String(error), { cause: error });
};

type Options = BuildOptions & { readonly write: false; readonly metafile: true };

const optionsFor = (sources: string, mode: 'production' | 'development'): Options => ({
  entryPoints: { main: `${sources}main.tsx`, theme: `${sources}theme.ts` },
  outdir: '/assets',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  minify: mode === 'production',
  write: false,
  metafile: true,
  sourcemap: 'linked',
  // The licences are delivered whole, in a file of their own.
  legalComments: 'none',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.css': 'css' },
  define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
  // That of the sources is not there in `dist`.
  tsconfigRaw: '{}',
  logLevel: 'silent',
});

/** @throws {BundleError} */
const bundleOf = async ({ outputFiles, metafile }: BuildResult<Options>): Promise<ConsoleBundle> => {
  const files: BundledFile[] = outputFiles.map(({ path, contents }) => ({
    name: path.slice(path.lastIndexOf('/') + 1),
    body: contents,
  }));
  const licences = await licencesOf(Object.keys(metafile.inputs));
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
