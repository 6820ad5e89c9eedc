import { copyFile, mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { MigrationSource, resultsMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { processIsAlive } from '../../infrastructure/local/embedded-postgres/directory-lock.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What tests run as processes. Each holds the packages that it needs: to read them one by one takes half a second of CPU. */
const PROGRAMS = [
  'infrastructure/bin/cli.ts',
  'infrastructure/bin/http.ts',
  'infrastructure/local/embedded-postgres/embedded-postgres.ts',
  'tests/support/child-service-main.ts',
  'tests/support/fleet-child-main.ts',
];
const MIGRATIONS = ['migrations/metadata/*.ts', 'migrations/results/*.ts'];

/** Not there, not JavaScript, or never asked for by a program. */
const LEFT_OUT = ['@node-rs/*', '@testcontainers/*', 'esbuild', 'pg-native', 'pg-query-stream'];
const OTHER_DRIVERS = ['better-sqlite3', 'mariadb', 'mysql', 'mysql2', 'oracledb', 'sqlite3', 'tedious'];

const PREFIX = 'mad-compiled-';

let folder: Promise<string> | undefined;

/** The programs and all migrations as JavaScript, compiled by the first of this process who asks. */
const compiledPrograms = (): Promise<string> => {
  folder ??= compile();
  return folder;
};

const compile = async (): Promise<string> => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`)));
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  await copyFile(join(ROOT, 'package.json'), join(directory, 'package.json'));
  const options = {
    ...{ absWorkingDir: ROOT, outdir: directory, outbase: ROOT, logLevel: 'warning' },
    ...{ format: 'esm', platform: 'node', target: `node${process.versions.node}` },
  } satisfies BuildOptions;
  // Each file alone, as in production: their texts tell templates of one release from those of another.
  await build({ ...options, entryPoints: MIGRATIONS });
  await build({
    ...options,
    entryPoints: PROGRAMS,
    bundle: true,
    splitting: true,
    sourcemap: true,
    external: [...LEFT_OUT, ...OTHER_DRIVERS],
    // Packages of the older kind ask for Node's own modules so.
    banner: {
      js: `import { createRequire as asked } from 'node:module'; const require = asked(import.meta.url);`,
    },
    plugins: [placesOfModules(directory)],
  });
  return directory;
};

/** A module looks for files beside itself where it would lie if it were no part of a program. */
const placesOfModules = (directory: string): Plugin => ({
  name: 'places of modules',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const place = pathToFileURL(compiledPath(directory, path)).href;
      return { contents: text.replaceAll('import.meta.url', JSON.stringify(place)), loader: 'ts' };
    }),
});

const compiledPath = (directory: string, source: string): string =>
  join(directory, relative(ROOT, source).replace(/\.ts$/, '.js'));

/**
 * The path of a program as plain JavaScript, or of a folder of migrations. A process that runs it needs no loader, which saves
 * it a second of CPU at its start.
 *
 * @param source URL of the TypeScript file, or of the folder
 */
export const compiledModule = async (source: URL): Promise<string> =>
  compiledPath(await compiledPrograms(), fileURLToPath(source));

/**
 * The migrations of results databases, as processes of `compiledModule` read them. For who goes on with what such a process
 * has begun: templates and spares of other texts are another release's.
 */
export const compiledMigrations = async (): Promise<MigrationSource> =>
  new MigrationSource(pathToFileURL(`${await compiledModule(resultsMigrations.directory)}/`));

/** Removes what this process and those that are gone compiled. */
export const removeCompiledProjects = async (): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (Number.isNaN(owner) || (owner !== process.pid && processIsAlive(owner))) continue;
    // It may be somebody else's.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
};
