import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { MigrationSource, resultsMigrations } from '../../infrastructure/migrations/migration-source.ts';
import { processIsAlive } from '../../infrastructure/local/embedded-postgres/directory-lock.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');

const PREFIX = 'mad-compiled-';

let folder: Promise<string> | undefined;

/**
 * The project and its tests as JavaScript, beside its packages, compiled by the first of this process who asks.
 */
const compiledProject = (): Promise<string> => {
  folder ??= compile();
  return folder;
};

const compile = async (): Promise<string> => {
  const directory = await realpath(await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`)));
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  await copyFile(join(ROOT, 'package.json'), join(directory, 'package.json'));
  // Types are checked elsewhere. Without that this takes a second.
  const options = ['--noEmit', 'false', '--noCheck', '--sourceMap', '--rootDir', ROOT, '--outDir', directory];
  await promisify(execFile)(process.execPath, [COMPILER, '-p', join(ROOT, 'tsconfig.json'), ...options]);
  return directory;
};

/**
 * The path of a module as plain JavaScript, or of a folder of such. A process that runs it needs no loader, which saves it a
 * second of CPU at its start.
 *
 * @param source URL of the TypeScript file, or of the folder
 */
export const compiledModule = async (source: URL): Promise<string> => {
  const path = relative(ROOT, fileURLToPath(source)).replace(/\.ts$/, '.js');
  return join(await compiledProject(), path);
};

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
